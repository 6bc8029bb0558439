package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/examples/internal/inside"
	"github.com/go-mif/mif/examples/internal/program"
	"github.com/go-mif/mif/happyeyeballs"
	"github.com/go-mif/mif/pvd"
)

// An order is what is to be downloaded, and what is known of it.
type order struct {
	host        *mif.Host
	history     happyeyeballs.History
	url, word   string
	path        string
	digest      digest // the zero one: not given
	wait, stall time.Duration
	view        view

	entity entity
	file   *os.File // PATH.part
	plan   *plan
}

// fetch downloads into a file, which has its name only when all of it is there and
// right.
func fetch(ctx context.Context, o *order) (err error) {
	if i, err := os.Stat(o.path); err == nil && !i.Mode().IsRegular() {
		return fmt.Errorf("%s is no file", o.path)
	}
	part := o.path + ".part"
	o.file, err = os.OpenFile(part, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there: another download, or the rest of one that was killed", part)
	}
	if err != nil {
		return err
	}
	defer os.Remove(part) // nothing once it has its name
	defer o.file.Close()
	if err := o.download(ctx); err != nil {
		return err
	}
	if err := o.check(ctx); err != nil {
		return err
	}
	if err := errors.Join(o.file.Sync(), o.file.Close()); err != nil {
		return fmt.Errorf("%w: %w", errFile, err)
	}
	return os.Rename(part, o.path)
}

// download learns what the URL stands for, and gets all of it.
func (o *order) download(ctx context.Context) error {
	limit, cancel := context.WithTimeout(ctx, o.wait)
	program.Await(limit, o.host, func(s *pvd.Snapshot) bool { return len(program.Choose(s, o.word)) > 0 })
	cancel()
	if err := o.probe(ctx); err != nil || !o.entity.ranges {
		return err
	}
	return o.inPieces(ctx)
}

// probe asks for the first octet in whichever domain connects first, and if that comes
// to nothing, in each of the others.
func (o *order) probe(ctx context.Context) error {
	settled := func(err error) bool { return err == nil || o.entity.url != "" || ctx.Err() != nil }
	first, err := o.ask(ctx, o.word)
	if settled(err) || first == (mif.PvDID{}) {
		return err
	}
	all := []error{fmt.Errorf("in %v: %w", first, err)}
	for _, d := range o.domains() {
		if d.ID() == first {
			continue
		}
		if _, err = o.ask(ctx, d.ID().String()); settled(err) {
			return err
		}
		all = append(all, fmt.Errorf("in %v: %w", d.ID(), err))
	}
	return errors.Join(all...)
}

// ask asks for the first octet in whichever domain meant by a word connects first. It
// tells which that was; the zero one is none.
func (o *order) ask(ctx context.Context, word string) (mif.PvDID, error) {
	ctx, alive, end := stalling(ctx, o.stall)
	defer end()
	var used atomic.Value
	used.Store(mif.PvDID{})
	client := newClient(func(ctx context.Context, _, address string) (net.Conn, error) {
		c, err := inside.Dial(ctx, o.host, &o.history, word, address)
		if err != nil {
			return nil, err
		}
		used.Store(c.PvD)
		return c, nil
	})
	defer client.CloseIdleConnections()
	r, err := request(ctx, o.url, span{0, 1})
	if err != nil {
		return mif.PvDID{}, err
	}
	answer, err := client.Do(r)
	id := used.Load().(mif.PvDID)
	if err != nil {
		return id, cause(ctx, err)
	}
	defer answer.Body.Close()
	return id, o.hear(ctx, answer, alive, id)
}

// hear learns from the first answer. A server that has no ranges sends all of the file,
// which is taken then.
func (o *order) hear(ctx context.Context, answer *http.Response, alive func(), id mif.PvDID) error {
	e, err := learn(answer)
	if err != nil {
		return err
	}
	o.entity = e
	o.view.began(e)
	if e.ranges {
		return nil
	}
	o.view.joined(id)
	n, err := inOne(ctx, o, answer, alive, id)
	o.view.left(id, n, err)
	return err
}

func (o *order) inPieces(ctx context.Context) error {
	if err := o.file.Truncate(o.entity.size); err != nil {
		return fmt.Errorf("%w %d octets: %w", errFile, o.entity.size, err)
	}
	o.plan = newPlan(o.entity.size)
	return overAll(ctx, o)
}

// check checks the length of the file, and each digest of it that there is.
func (o *order) check(ctx context.Context) error {
	i, err := o.file.Stat()
	if err != nil {
		return err
	}
	if o.entity.size >= 0 && i.Size() != o.entity.size {
		return fmt.Errorf("%d octets are there of %d", i.Size(), o.entity.size)
	}
	o.entity.size = i.Size()
	if err := o.digest.verify(ctx, o.file, i.Size(), "given"); err != nil {
		return err
	}
	return o.entity.digest.verify(ctx, o.file, i.Size(), "the server said")
}

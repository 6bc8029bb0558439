package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/examples/internal/program"
	"github.com/go-mif/mif/pvd"
)

// A result is how the work of a source ended.
type result struct {
	*source
	err error
}

// A download is a file coming in over all domains that there are.
type download struct {
	*order
	session *mif.Session
	at      map[mif.PvDID]*source // at work
	gone    map[mif.PvDID]error   // given up, and why
	results chan result
}

// overAll downloads by ranges until all is there.
func overAll(ctx context.Context, o *order) error {
	ctx, cancel := context.WithCancel(ctx)
	d := &download{o, o.host.NewSession(), map[mif.PvDID]*source{}, map[mif.PvDID]error{}, make(chan result)}
	defer d.end(cancel)
	if err := d.session.Post(mif.AnnounceProvisioningDomains{}); err != nil {
		return err
	}
	tick := time.NewTicker(o.view.every())
	defer tick.Stop()
	hope := time.NewTimer(o.wait)
	for o.plan.got() < o.plan.size {
		select {
		case <-d.session.Ready():
			d.announced(ctx)
		case r := <-d.results:
			if err := d.left(r); err != nil {
				return err
			}
		case <-tick.C:
			d.show()
		case <-hope.C:
			if len(d.at) == 0 {
				return d.hopeless("no domain has come")
			}
		case <-ctx.Done():
			return ctx.Err()
		}
		if len(d.at) > 0 {
			hope.Reset(o.wait)
		}
	}
	return nil
}

// end ends all work and waits for it.
func (d *download) end(cancel context.CancelFunc) {
	cancel()
	for len(d.at) > 0 {
		r := <-d.results
		delete(d.at, r.pvd)
		d.view.left(r.pvd, r.octets.Load(), nil)
	}
	d.session.Close()
}

// announced puts the domains to work that have come.
func (d *download) announced(ctx context.Context) {
	for {
		e, err := d.session.Get()
		if err != nil {
			return
		}
		if a, ok := e.(mif.ProvisioningDomainAnnouncement); ok && d.at[a.PvD] == nil && d.meant(a.PvD) {
			d.begin(ctx, a.PvD)
		}
	}
}

// meant tells whether a domain is one of those to use.
func (d *download) meant(id mif.PvDID) bool {
	for _, one := range d.domains() {
		if one.ID() == id {
			return d.gone[id] == nil
		}
	}
	return false
}

func (o *order) domains() []*pvd.Domain { return program.Choose(o.host.Snapshot(), o.word) }

// errGone tells that a domain has gone while it was at work.
var errGone = errors.New("the domain is gone")

// begin starts a source, which ends with its domain.
func (d *download) begin(ctx context.Context, id mif.PvDID) {
	dialer, err := d.host.Dialer(id)
	if err != nil { // gone already
		return
	}
	ctx, cancel := context.WithCancelCause(ctx)
	spared := context.AfterFunc(dialer.Context, func() { cancel(errGone) })
	s := newSource(d.order, id)
	d.at[id] = s
	d.view.joined(id)
	go func() {
		err := s.work(ctx)
		spared()
		cancel(nil)
		d.results <- result{s, err}
	}()
}

// left takes note that a source has ended. The error is that of the whole download. A
// domain in which the first answer is another file's, such as the page of a captive
// portal, has spoilt nothing.
func (d *download) left(r result) error {
	delete(d.at, r.pvd)
	d.view.left(r.pvd, r.octets.Load(), r.err)
	if errors.Is(r.err, errFile) || errors.Is(r.err, errLie) && r.octets.Load() > 0 {
		return fmt.Errorf("in %v: %w", r.pvd, r.err)
	}
	if r.err == nil {
		return nil
	}
	d.gone[r.pvd] = r.err
	for _, one := range d.domains() {
		if d.gone[one.ID()] == nil {
			return nil
		}
	}
	if len(d.at) == 0 && len(d.domains()) > 0 {
		return d.hopeless("no domain is left")
	}
	return nil
}

// hopeless says why the download cannot go on.
func (d *download) hopeless(why string) error {
	all := []error{fmt.Errorf("%s after %d of %d octets", why, d.plan.got(), d.plan.size)}
	for id, err := range d.gone {
		all = append(all, fmt.Errorf("in %v: %w", id, err))
	}
	return errors.Join(all...)
}

func (d *download) show() {
	all := map[mif.PvDID]int64{}
	for id, s := range d.at {
		all[id] = s.octets.Load()
	}
	d.view.progress(d.plan.got(), d.plan.size, all)
}

// inOne writes an answer that has all of the file, as it comes in one domain.
func inOne(ctx context.Context, o *order, answer *http.Response, alive func(), id mif.PvDID) (n int64, err error) {
	b := make([]byte, buffer)
	shown := time.Now()
	for {
		got, err := answer.Body.Read(b)
		alive()
		if _, err := o.file.WriteAt(b[:got], n); err != nil {
			return n, fmt.Errorf("%w: %w", errFile, err)
		}
		n += int64(got)
		if time.Since(shown) >= o.view.every() {
			shown = time.Now()
			o.view.progress(n, o.entity.size, map[mif.PvDID]int64{id: n})
		}
		if err != nil {
			return n, whole(ctx, o, n, err)
		}
	}
}

// whole is nil if reading ended since all was there.
func whole(ctx context.Context, o *order, n int64, err error) error {
	switch size := o.entity.size; {
	case err == io.EOF && (size < 0 || size == n):
		return nil
	case size < 0:
		return fmt.Errorf("cut off after %d octets, and the server has no ranges: %w", n, cause(ctx, err))
	default:
		return fmt.Errorf("cut off after %d of %d octets, and the server has no ranges: %w", n, size, cause(ctx, err))
	}
}

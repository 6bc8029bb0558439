package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/examples/internal/inside"
)

// Bounds of what a source does.
const (
	attempts = 3               // in vain, after which a domain is given up
	pause    = time.Second / 2 // after each, longer each time
	buffer   = 64 << 10
)

// A source gets pieces inside one domain.
type source struct {
	*order
	pvd    mif.PvDID
	client *http.Client
	octets atomic.Int64
	busy   time.Duration // how long it took
}

// newClient returns a client whose connections are made by dial, each for one domain.
func newClient(dial func(ctx context.Context, network, address string) (net.Conn, error)) *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: dial, DisableCompression: true, TLSHandshakeTimeout: 10 * time.Second}}
}

func newSource(o *order, id mif.PvDID) *source {
	s := &source{order: o, pvd: id}
	s.client = newClient(func(ctx context.Context, _, address string) (net.Conn, error) {
		c, err := inside.Dial(ctx, o.host, &o.history, id.String(), address)
		if err != nil {
			return nil, err
		}
		return c, nil
	})
	return s
}

// work gets pieces until all is there, the context is done, or it is in vain.
func (s *source) work(ctx context.Context) error {
	defer s.client.CloseIdleConnections()
	for failures := 0; ; {
		one := s.plan.take(ctx, s.rate())
		if one == nil {
			return ctx.Err()
		}
		before := s.octets.Load()
		err := s.get(ctx, one)
		s.plan.release(one)
		switch {
		case err == nil || s.octets.Load() > before && !final(err):
			failures = 0
			continue
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case final(err):
			return err
		}
		if failures++; failures == attempts {
			return err
		}
		select {
		case <-time.After(time.Duration(failures) * pause):
		case <-ctx.Done():
		}
	}
}

// errFile tells that the file cannot be written.
var errFile = errors.New("writing")

// final tells whether an error is the end of the download, not of an attempt.
func final(err error) bool { return errors.Is(err, errLie) || errors.Is(err, errFile) }

// rate is what the source got, in octets per second of work.
func (s *source) rate() float64 {
	if s.busy == 0 {
		return 0
	}
	return float64(s.octets.Load()) / s.busy.Seconds()
}

// get gets a piece, or as much of it as is left to it.
func (s *source) get(ctx context.Context, one *piece) error {
	ctx, alive, end := stalling(ctx, s.stall)
	defer end()
	want := s.plan.extent(one)
	r, err := request(ctx, s.entity.url, want)
	if err != nil {
		return err
	}
	answer, err := s.client.Do(r)
	if err != nil {
		return cause(ctx, err)
	}
	defer answer.Body.Close()
	got, err := s.entity.same(answer, want)
	if err != nil {
		return err
	}
	return cause(ctx, s.read(answer.Body, one, got, alive))
}

// read writes a body that is a span of the file.
func (s *source) read(body io.Reader, one *piece, got span, alive func()) error {
	b := make([]byte, buffer)
	for left := got.end - got.at; ; {
		began := time.Now()
		n, err := body.Read(b)
		s.busy += time.Since(began)
		alive()
		if left -= int64(n); left < 0 {
			return lie("it sends more than octets %v", got)
		}
		at, ours := s.plan.claim(one, n, s.rate())
		if err := s.write(b[:ours], at); err != nil {
			return err
		}
		switch {
		case err == io.EOF && left > 0:
			return lie("of octets %v it does not send the last %d", got, left)
		case err == io.EOF, ours < n:
			return nil
		case err != nil:
			return err
		}
		if e := s.plan.extent(one); e.at == e.end && left > 0 {
			return nil // the rest is another's
		}
	}
}

func (s *source) write(b []byte, at int64) error {
	if _, err := s.file.WriteAt(b, at); err != nil {
		return fmt.Errorf("%w: %w", errFile, err)
	}
	s.octets.Add(int64(len(b)))
	s.plan.wrote(len(b))
	return nil
}

// errStalled tells that nothing came for too long.
var errStalled = errors.New("nothing came for too long")

// stalling returns a context that ends when alive was not called for some time.
func stalling(ctx context.Context, limit time.Duration) (_ context.Context, alive, end func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(limit, func() { cancel(errStalled) })
	return ctx, func() { timer.Reset(limit) }, func() { timer.Stop(); cancel(nil) }
}

// cause is why something failed: what ended its context, if that was it.
func cause(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil && !final(err) {
		return context.Cause(ctx)
	}
	return err
}

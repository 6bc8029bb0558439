package hostconf

import (
	"context"
	"sync"
	"time"
)

// A notifier tells of changes in directories.
type notifier interface {
	// arm watches these directories, below the root, and no others. It tells
	// whether it watches what it did not before: then something could have
	// changed unnoticed until now.
	arm(dirs map[string]changes) bool
	// wait returns nil if something may have changed or the time has come; the
	// zero Time never does.
	wait(ctx context.Context, until time.Time) error
	// poke ends the present or the next wait with nil. Any goroutine may call it.
	poke()
	// problem is what keeps it from noticing everything; nil if nothing does.
	problem() error
	// close ends a wait with some error. It can be called again, by any goroutine.
	close() error
}

// A deaf notifier notices nothing but the time and a poke.
type deaf struct {
	reason error
	once   sync.Once
	done   chan struct{}
	poked  chan struct{}
}

func newDeaf(reason error) *deaf {
	return &deaf{reason: reason, done: make(chan struct{}), poked: make(chan struct{}, 1)}
}

func (d *deaf) arm(map[string]changes) bool { return false }
func (d *deaf) problem() error              { return d.reason }

func (d *deaf) poke() {
	select {
	case d.poked <- struct{}{}:
	default:
	}
}

func (d *deaf) close() error {
	d.once.Do(func() { close(d.done) })
	return nil
}

func (d *deaf) wait(ctx context.Context, until time.Time) error {
	var timer <-chan time.Time
	if !until.IsZero() {
		t := time.NewTimer(time.Until(until))
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-timer:
		return nil
	case <-d.poked:
		return nil
	case <-d.done:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

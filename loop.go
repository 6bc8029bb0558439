package mif

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/go-mif/mif/hostconf"
	"github.com/go-mif/mif/pvd"
)

// The loop is the only writer of what the host is. It waits for nothing but the
// kernel; feeders leave what they know in its inbox and interrupt that wait, and
// the next expiry of anything is its deadline. It takes no lock that is held while
// the program's code runs, and calls none of it.
func (h *Host) loop() {
	defer h.own.end()
	for h.end.Err() == nil {
		if err := h.turn(); err != nil {
			if h.end.Err() == nil {
				h.fail(err)
			}
			return
		}
	}
}

// turn waits for news of any kind and publishes what follows from them.
func (h *Host) turn() error {
	old := h.whole.Load()
	news, err := h.kernel.Receive(old.Next())
	if err != nil {
		return err
	}
	now := time.Now()
	renewed, answered := h.inbox.take(), h.asking.answers.take()
	links := h.information.known(old, h.own.known(old, h.known(old, news.Links, renewed || answered)))
	next := h.builder.Build(old, links, news.Gone, h.options(), now)
	defer h.own.published(next)
	if renewed || len(links)+len(news.Gone) > 0 {
		h.asking.follow(next, h.inbox.last)
	}
	if next.Seq() == old.Seq() {
		h.whole.Store(next)
		return nil
	}
	h.publish(next)
	h.follow(old, next)
	h.routes.changed()
	h.information.changed()
	h.waiting.wake(old, next)
	return nil
}

// publish makes a Snapshot the present one.
func (h *Host) publish(s *pvd.Snapshot) {
	h.whole.Store(s)
	h.snapshot.Store(s.Bare())
}

// options are what Build is to make of facts.
func (h *Host) options() pvd.Options {
	o := pvd.Options{MergeFamilies: h.config.MergeFamilies}
	if h.inbox.last != nil {
		o.Resolver = &h.inbox.last.Resolver
	}
	return o
}

// known adds to the kernel's facts what others know of the same links, and the facts
// of those links of which they know something new.
func (h *Host) known(old *pvd.Snapshot, links []*pvd.Facts, renewed bool) []*pvd.Facts {
	state := h.inbox.last
	if state == nil || len(state.Links)+len(state.ByIndex) == 0 && !h.asking.answered() && !renewed {
		return links
	}
	for i, f := range links {
		links[i] = h.with(f, old)
	}
	if !renewed {
		return links
	}
	told := map[pvd.InterfaceID]bool{}
	for _, f := range links {
		told[f.Interface.ID] = true
	}
	for i := range old.Interfaces() {
		f := old.Facts(i.ID)
		if n := h.with(f, old); n != f && !told[f.Interface.ID] {
			links = append(links, n)
		}
	}
	return links
}

// with returns facts with what the host's clients and servers know of their interface.
func (h *Host) with(f *pvd.Facts, old *pvd.Snapshot) *pvd.Facts {
	known := h.asking.with(heardFrom(h.inbox.last, &f.Interface), f, old)
	if len(known) == 0 && len(f.Known) == 0 {
		return f
	}
	n := *f
	n.Known = known
	return &n
}

// heardFrom is what the host's clients know of an interface.
func heardFrom(s *hostconf.State, i *pvd.Interface) []pvd.Configuration {
	return slices.Concat(s.Links[i.Name], s.ByIndex[i.Index])
}

// feed is the goroutine that tells the loop what the host's clients know.
func (h *Host) feed() {
	for {
		s, err := h.files.Receive(h.end)
		switch {
		case err == nil:
			h.inbox.put(s)
			h.kernel.Interrupt()
		case h.end.Err() != nil:
			return
		case errors.Is(err, context.Canceled), errors.Is(err, net.ErrClosed):
			return
		default:
			if h.config.Log != nil {
				h.config.Log.Warn("what the host's DHCP clients know is not followed any more", "err", err)
			}
			return
		}
	}
}

// An inbox holds what one feeder left for the loop: its last word counts.
type inbox[T any] struct {
	mu   sync.Mutex
	left *T
	last *T // the loop's own; nil if the feeder never left anything
}

func (b *inbox[T]) put(v *T) {
	b.mu.Lock()
	b.left = v
	b.mu.Unlock()
}

// take makes what was left the last word, and tells whether that is new.
func (b *inbox[T]) take() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	renewed := b.left != nil
	if renewed {
		b.last, b.left = b.left, nil
	}
	return renewed
}

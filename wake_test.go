package mif

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-mif/mif/pvd"
)

// No wake-up is lost, with few sessions and with many, whether one waits by Check
// or by Ready.
func TestNoLostWakeup(t *testing.T) {
	for _, sessions := range []int{1, few, 2*few + 1} {
		t.Run(fmt.Sprint(sessions), func(t *testing.T) { stressWakeups(t, sessions) })
	}
}

// A session that has not seen the present is not put to sleep.
func TestSleepNeedsThePresent(t *testing.T) {
	h := &Host{}
	h.publish(&pvd.Snapshot{})
	s, seen := newSession(h), h.Snapshot()
	if !h.waiting.add(s, seen) {
		t.Fatal("refused to sleep")
	}
	h.publish(&pvd.Snapshot{})
	if h.waiting.add(s, seen) {
		t.Fatal("sleeps through a change")
	}
}

// stressWakeups makes a change as soon as all sessions were told of the one before,
// while some go to sleep.
func stressWakeups(t *testing.T, sessions int) {
	h := newFakeHost(t, nil, func(w *world) { w.add("eth0", 2, "192.0.2.5/24") })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // a safety net
	defer cancel()
	const rounds = 200
	var told [rounds + 1]atomic.Int32
	all := make(chan int, 1) // the round that all were told of
	var wait sync.WaitGroup
	for n := range sessions {
		s := h.NewSession()
		s.Post(AnnounceInterfaces{})
		wait.Go(func() {
			for awake := true; awake; awake = await(ctx, s, n) {
				for e, err := s.Get(); err == nil; e, err = s.Get() {
					if i, is := e.(InterfaceAnnouncement); is {
						if round := i.MTU - 1500; told[round].Add(1) == int32(sessions) {
							all <- round // the next change comes while this one goes to sleep
						}
					}
				}
			}
		})
	}
	for round := range rounds + 1 {
		if round > 0 {
			h.change(func(w *world) { w.edit("eth0", func(f *pvd.Facts) { f.Interface.MTU++ }) })
		}
		select {
		case <-all:
		case <-ctx.Done():
			t.Fatalf("round %d: %d of %d sessions were told", round, told[round].Load(), sessions)
		}
	}
	h.Close()
	wait.Wait()
}

// await waits for a session in one of three ways, and tells whether it is open.
func await(ctx context.Context, s *Session, way int) bool {
	switch way % 3 {
	case 0:
		return s.Check(ctx) == nil
	case 1:
		limited, cancel := context.WithTimeout(ctx, time.Millisecond)
		defer cancel()
		return !errors.Is(s.Check(limited), net.ErrClosed)
	}
	select {
	case <-s.Ready():
		return !s.dead.Load()
	case <-ctx.Done():
		return false
	}
}

// The waker gives its sessions back to the loop when few are left, and those that
// closed are forgotten.
func TestWakerHandsBack(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *fakeHost) {
		var all []*Session
		for range 3 * few {
			s := h.NewSession()
			s.Post(AnnounceInterfaces{})
			drain(s)
			all = append(all, s)
		}
		touch := func() { h.change(func(w *world) { w.edit("eth0", func(f *pvd.Facts) { f.Interface.MTU++ }) }) }
		count := func() (mine, away int) {
			h.waiting.mu.Lock()
			defer h.waiting.mu.Unlock()
			return len(h.waiting.sessions), h.waiting.away
		}
		for i, s := range all {
			if i > 2 {
				s.Post(StopAnnouncingInterfaces{}) // it will not be woken
				drain(s)
			}
		}
		touch()
		synctest.Wait()
		if mine, away := count(); mine != 0 || away != len(all)-3 {
			t.Fatalf("%d with the loop, %d with the waker", mine, away)
		}
		for _, s := range all[:3] {
			drain(s)
		}
		for _, s := range all[few/4:] {
			s.Close()
		}
		touch()
		synctest.Wait()
		if mine, away := count(); mine != few/4-3 || away != 0 {
			t.Fatalf("%d with the loop, %d with the waker", mine, away)
		}
		for i, s := range all[:3] {
			if e, err := s.Get(); err != nil || line(e) != "interface eth0" {
				t.Errorf("session %d got %v, %v", i, e, err)
			}
		}
	})
}

// A waker that is far behind wakes everybody rather than keep a list of changes.
func TestWakerFarBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &waiting{kick: make(chan struct{}, 1)} // and nobody who works
		h := &Host{}
		h.publish(&pvd.Snapshot{})
		var all []*Session
		for range few + 1 {
			s := newSession(h)
			s.topics.add(AnnounceInterfaces{})
			w.add(s, h.Snapshot())
			all = append(all, s)
		}
		f := newWorld()
		f.add("eth0", 2)
		for range 10 * backlog {
			f.edit("eth0", func(f *pvd.Facts) { f.Interface.MTU++ })
			old := h.whole.Load()
			h.publish(pvd.Build(old, f.changes().Links, nil, pvd.Options{}, time.Now()))
			w.wake(old, h.Snapshot())
		}
		if n := len(w.jobs); n != backlog {
			t.Fatalf("%d jobs", n)
		}
		if many := w.do(nil); len(many) != 0 {
			t.Fatalf("%d sleep on", len(many))
		}
		for _, s := range all {
			select {
			case <-s.ready:
			default:
				t.Fatal("one was not woken")
			}
		}
	})
}

func drain(s *Session) (all []Event) {
	for {
		e, err := s.Get()
		if err != nil {
			return all
		}
		all = append(all, e)
	}
}

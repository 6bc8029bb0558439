package mif

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/go-mif/mif/pvd"
)

// heap is how many octets are in use.
func heap() int64 {
	var m runtime.MemStats
	for range 3 {
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// What a session keeps that is subscribed, drained and idle: kept-B/session.
func BenchmarkIdleSession(b *testing.B) {
	const n = 10_000
	for b.Loop() {
		h := newFakeHost(b, nil, func(w *world) { w.add("eth0", 2, "192.0.2.5/24") })
		sessions := make([]*Session, n)
		before := heap()
		for i := range sessions {
			sessions[i] = h.NewSession()
			sessions[i].Post(AnnounceInterfaces{})
			drain(sessions[i])
		}
		b.ReportMetric(float64(heap()-before)/n, "kept-B/session")
		runtime.KeepAlive(sessions)
		h.Close()
	}
}

// What a session keeps that slept through 200,000 changes of 1,000 objects, and
// what it is told then.
func BenchmarkSleepingSession(b *testing.B) {
	for b.Loop() {
		h := newFakeHost(b, nil, storm)
		s := h.NewSession()
		s.Post(AnnounceInterfaces{})
		s.Post(AnnounceProvisioningDomains{})
		drain(s)
		blow(h, 200_000)
		with := heap()
		told := len(drain(s)) // it lets go of the Snapshot that it was told up to
		b.ReportMetric(float64(with-heap()), "kept-B")
		b.ReportMetric(float64(told), "messages")
		h.Close()
	}
}

// A request answered at once, by 1 to 256 sessions in turn.
func BenchmarkPostGet(b *testing.B) {
	for _, n := range []int{1, 16, 256} {
		b.Run(fmt.Sprint("sessions=", n), func(b *testing.B) {
			h := newFakeHost(b, nil, func(w *world) { w.add("eth0", 2, "192.0.2.5/24") })
			ask := Request(GetConfigurationData{h.pvd("eth0/ipv4"), pvd.ElementAny, pvd.ItemRouters})
			var sessions []*Session
			for range n {
				sessions = append(sessions, h.NewSession())
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				s := sessions[i%n]
				i++
				if err := s.Post(ask); err != nil {
					b.Fatal(err)
				}
				if _, err := s.Get(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// What the loop does for its sessions when something has changed, Build left out:
// loop-ns/event.
func BenchmarkPublish(b *testing.B) {
	for _, c := range []struct{ sessions, waiting int }{{0, 0}, {100, 0}, {100, 100}, {10_000, 0}, {10_000, 10_000}} {
		b.Run(fmt.Sprintf("sessions=%d/waiting=%d", c.sessions, c.waiting), func(b *testing.B) {
			h := newFakeHost(b, nil, func(w *world) { w.add("eth0", 2, "192.0.2.5/24") })
			var sessions []*Session
			for range c.sessions {
				s := h.NewSession()
				s.Post(AnnounceInterfaces{})
				drain(s)
				sessions = append(sessions, s)
			}
			if c.waiting == 0 {
				h.change(func(w *world) { w.edit("eth0", func(f *pvd.Facts) { f.Interface.MTU = 9000 }) }) // they sleep from here on
			}
			var loop time.Duration
			events := 0
			for b.Loop() {
				old := h.whole.Load()
				h.world.edit("eth0", func(f *pvd.Facts) { f.Interface.MTU++ })
				next := pvd.Build(old, h.world.changes().Links, nil, pvd.Options{}, time.Now())
				begin := time.Now()
				h.publish(next)
				h.follow(old, next)
				h.waiting.wake(old, next)
				loop += time.Since(begin)
				events++
				for _, s := range sessions[:c.waiting] {
					<-s.ready
					drain(s)
				}
			}
			b.ReportMetric(float64(loop)/float64(events), "loop-ns/event")
		})
	}
}

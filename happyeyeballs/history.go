package happyeyeballs

import (
	"net/netip"
	"sync"
	"time"

	"github.com/go-mif/mif"
)

const (
	historyDomains = 32               // domains remembered at most
	historyAddrs   = 256              // addresses of each
	historyAge     = 10 * time.Minute // after this a fresh start is made (version 3, section 5.3)
)

// A History is what races have learnt: which addresses worked in a domain, and how
// fast. It is kept by domain and never looked at for another (version 3, section
// 5.3). A PvDID is never used again, so what was learnt of a network goes with it.
// The zero History is empty and ready to use, by any number of Dialers at once. It
// holds at most 32 domains of 256 addresses each, for 10 minutes.
type History struct {
	mu      sync.Mutex
	domains map[mif.PvDID]map[netip.Addr]experience
}

// An experience is what is known of one address in one domain.
type experience struct {
	rtt, variance time.Duration // smoothed as in RFC 6298, section 2
	used          time.Time     // last success
	since         time.Time     // first one
}

// recall gives what is known and still counts.
func (h *History) recall(id mif.PvDID, a netip.Addr, now time.Time) (experience, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	e, ok := h.domains[id][a]
	return e, ok && now.Sub(e.since) < historyAge
}

// worked notes a connection that was made.
func (h *History) worked(id mif.PvDID, a netip.Addr, rtt time.Duration, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.domains == nil {
		h.domains = map[mif.PvDID]map[netip.Addr]experience{}
	}
	if h.domains[id] == nil {
		makeRoom(h.domains, historyDomains, newest)
		h.domains[id] = map[netip.Addr]experience{}
	}
	known := h.domains[id]
	e, ok := known[a]
	if !ok || now.Sub(e.since) >= historyAge {
		makeRoom(known, historyAddrs, func(e experience) time.Time { return e.used })
		known[a] = experience{rtt, rtt / 2, now, now}
		return
	}
	e.variance += (absolute(e.rtt-rtt) - e.variance) / 4
	e.rtt += (rtt - e.rtt) / 8
	e.used = now
	known[a] = e
}

// failed forgets an address that did not answer.
func (h *History) failed(id mif.PvDID, a netip.Addr) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.domains[id], a)
}

func absolute(d time.Duration) time.Duration { return max(d, -d) }

func newest(known map[netip.Addr]experience) (t time.Time) {
	for _, e := range known {
		if e.used.After(t) {
			t = e.used
		}
	}
	return t
}

// makeRoom deletes the entry longest unused if there are as many as there may be.
func makeRoom[K comparable, V any](m map[K]V, limit int, used func(V) time.Time) {
	if len(m) < limit {
		return
	}
	var oldest K
	var when time.Time
	for k, v := range m {
		if t := used(v); when.IsZero() || t.Before(when) {
			oldest, when = k, t
		}
	}
	delete(m, oldest)
}

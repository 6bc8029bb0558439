package main

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// latency measures from just before a change is sent to the kernel until an
// application has it, typed. One change every few milliseconds.
func latency() error {
	d, err := newDriver()
	if err != nil {
		return err
	}
	names := []string{"netpoll", "netpoll + hop", "vishvananda", "rtnetlink", "mif"}
	kinds := []string{"address", "link", "route"}
	got := map[string][]float64{}
	for r := range rounds(24) {
		for _, name := range shuffled(names, r) {
			s, err := begin(name, 0)
			if err != nil {
				return err
			}
			for _, kind := range kinds {
				v, err := d.latencies(s, kind, 14)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", name, kind, err)
				}
				got[kind+name] = append(got[kind+name], v...)
			}
			s.end()
		}
	}
	for _, kind := range kinds {
		latencyTable(kind, names, func(name string) []float64 { return got[kind+name] })
	}
	return nil
}

func latencyTable(kind string, names []string, of func(string) []float64) {
	hop, peer := of("netpoll + hop"), min(median(of("vishvananda")), median(of("rtnetlink")))
	var rows [][]string
	for _, name := range names {
		v := of(name)
		rows = append(rows, []string{name, ns(median(v)), ns(quantile(v, 0.99)), times(median(v) / median(of("netpoll"))),
			times(median(v) / median(hop)), times(median(v) / peer), times(quantile(v, 0.99) / quantile(hop, 0.99))})
	}
	table(fmt.Sprintf("Latency: %s change → application, %d each", kind, len(hop)),
		[]string{"", "p50", "p99", "p50 × netpoll", "p50 × hop", "p50 × fastest peer", "p99 × hop"}, rows)
}

// latencies makes changes there and back, and returns how long each took; the
// first four are for warming up.
func (d *driver) latencies(s *subject, kind string, n int) (all []float64, err error) {
	var a netip.Addr
	for i := range n + 4 {
		there := i%2 == 0
		if there {
			a = d.fresh()
		}
		c, id := d.step(kind, there, a)
		s.expect(id)
		t := monotonic()
		if err := d.send(c.acknowledged()); err != nil {
			return nil, err
		}
		if err := d.replies(1); err != nil {
			return nil, err
		}
		rest(2*time.Millisecond + rand.N(time.Millisecond))
		at := s.await(time.Second)
		if at == 0 {
			return nil, fmt.Errorf("change %d was not told", i)
		}
		if i >= 4 {
			all = append(all, float64(at-t))
		}
	}
	return all, nil
}

// step is a change of a kind, there or back, and the id of its event.
func (d *driver) step(kind string, there bool, a netip.Addr) (change, uint64) {
	news := func(yes, no uint16) uint16 {
		if there {
			return yes
		}
		return no
	}
	switch kind {
	case "address":
		return addr(there, d.main, a, 32), addrID(news(unix.RTM_NEWADDR, unix.RTM_DELADDR), a)
	case "route":
		return route(there, d.main, netip.PrefixFrom(a, 32)), addrID(news(unix.RTM_NEWROUTE, unix.RTM_DELROUTE), a)
	}
	return linkUp(d.flap, !there), linkID(d.flap, !there) // it is up at the start
}

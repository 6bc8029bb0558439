package miftest

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"
)

// A Path is what becomes of packets from the link on their way to an address behind
// the router. What comes back is not touched, so Delay is what it adds to a round trip.
type Path struct {
	Delay time.Duration // each packet is that late
	Loss  float64       // the share that is lost, from 0 to 1; always the same packets
}

// SetPath makes packets to a prefix behind the router take a path, instead of the one
// that they took; the zero Path is the straight one. Longer prefixes come first. The
// delay is made in userspace, by a TUN device: it is some tenths of a millisecond
// more, and under load it can be any more. The prefix must have no address of the
// link, where it would be neighbour discovery that fails. The error wraps os.ErrNotExist or
// os.ErrPermission where there is no such device.
func (r *Router) SetPath(to netip.Prefix, p Path) error {
	switch {
	case r.isDead():
		return r.closed()
	case !to.IsValid() || p.Delay < 0 || p.Loss < 0 || p.Loss > 1:
		return fmt.Errorf("miftest: %+v to %v is no path", p, to)
	case r.neighbours(to):
		return fmt.Errorf("miftest: %v has addresses of the link: there is no path to them", to)
	}
	r.starting.Lock()
	defer r.starting.Unlock()
	if r.detour == nil {
		d, err := r.newDetour()
		if err != nil {
			return fmt.Errorf("miftest: a path for %v: %w", to, err)
		}
		r.detour = d
		if err := r.keep(d); err != nil {
			return err
		}
	}
	if !r.detour.set(to.Masked(), p) {
		return nil
	}
	return r.ns.divert(to.Masked())
}

var linkLocal = netip.MustParsePrefix("fe80::/10")

// neighbours tells whether a prefix has addresses of the link.
func (r *Router) neighbours(p netip.Prefix) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return p.Overlaps(r.ipv4) || p.Overlaps(linkLocal) || slices.ContainsFunc(r.prefixes, p.Overlaps)
}

// A detour takes packets out of the kernel and gives them back later.
type detour struct {
	tun     *os.File
	stop    context.CancelFunc
	running sync.WaitGroup
	packets chan packet

	mu    sync.Mutex
	paths map[netip.Prefix]Path
	luck  *rand.Rand
}

func (r *Router) newDetour() (*detour, error) {
	tun, err := r.ns.openTUN()
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	d := &detour{tun: tun, stop: stop, packets: make(chan packet), paths: map[netip.Prefix]Path{}, luck: rand.New(rand.NewPCG(1, 2))}
	d.running.Go(func() { d.read(ctx) })
	d.running.Go(func() { d.write(ctx) })
	return d, nil
}

// Close ends the detour; what is on its way is lost.
func (d *detour) Close() error {
	d.stop()
	err := d.tun.Close()
	d.running.Wait()
	return err
}

// set sets a path and tells whether it is the first one to its prefix.
func (d *detour) set(to netip.Prefix, p Path) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, known := d.paths[to]
	d.paths[to] = p
	return !known
}

// path is the one to an address, if the packet is to have luck on it.
func (d *detour) path(to netip.Addr) (Path, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	best, found := netip.Prefix{}, false
	for p := range d.paths {
		if p.Contains(to) && (!found || p.Bits() > best.Bits()) {
			best, found = p, true
		}
	}
	p := d.paths[best]
	return p, found && (p.Loss == 0 || d.luck.Float64() >= p.Loss)
}

// A packet is one that is on its way.
type packet struct {
	due    time.Time
	serial int // packets of the same delay stay in order
	octets []byte
}

type packets []packet

func (q packets) Len() int { return len(q) }
func (q packets) Less(i, j int) bool {
	return cmp.Or(q[i].due.Compare(q[j].due), q[i].serial-q[j].serial) < 0
}
func (q packets) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *packets) Push(x any)   { *q = append(*q, x.(packet)) }
func (q *packets) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

// read takes packets out of the kernel.
func (d *detour) read(ctx context.Context) {
	for serial := 0; ; serial++ {
		b := make([]byte, 1<<16)
		n, err := d.tun.Read(b)
		if errors.Is(err, os.ErrClosed) || errors.Is(err, io.EOF) || ctx.Err() != nil {
			return
		}
		p, goes := d.path(whither(b[:n]))
		if err != nil || !goes {
			continue
		}
		select {
		case d.packets <- packet{time.Now().Add(p.Delay), serial, b[:n:n]}:
		case <-ctx.Done():
			return
		}
	}
}

// whither is where an IP packet is for; it is not valid if that is no such packet.
func whither(b []byte) (to netip.Addr) {
	switch {
	case len(b) >= 20 && b[0]>>4 == 4:
		return netip.AddrFrom4([4]byte(b[16:]))
	case len(b) >= 40 && b[0]>>4 == 6:
		return netip.AddrFrom16([16]byte(b[24:]))
	}
	return to
}

// write gives packets back when they are due.
func (d *detour) write(ctx context.Context) {
	var q packets
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case p := <-d.packets:
			heap.Push(&q, p)
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		for len(q) > 0 && !time.Now().Before(q[0].due) {
			d.tun.Write(heap.Pop(&q).(packet).octets)
		}
		if len(q) > 0 {
			timer.Reset(time.Until(q[0].due))
		}
	}
}

package netlink

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// BenchmarkFold folds address events that each change something, 16 a Receive.
func BenchmarkFold(b *testing.B) {
	s := newTables(slog.New(slog.DiscardHandler))
	s.now = time.Now()
	s.setLink(&linkMessage{index: 1, name: []byte("d0")})
	event := func(kind uint16, n int) *message {
		a := netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)})
		body := append([]byte{afINET, 24, 0x80, 0, 1, 0, 0, 0}, attr(nil, ifaLocal, a.AsSlice())...)
		return &message{kind: kind, body: attr(body, ifaCacheInfo, make([]byte, 16))}
	}
	var events []*message
	for n := range 16 {
		events = append(events, event(rtmNewAddr, n), event(rtmDelAddr, n))
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if s.event(events[i%32]); i%16 == 15 {
			s.changes()
		}
	}
}

// many makes interfaces with two addresses and a route each.
func many(b *testing.B, n int) *space {
	s := newSpace(b)
	s.still(b)
	k := s.speaker(b)
	for i := range n {
		must(b, s.LinkAdd(&netlink.Ifb{LinkAttrs: netlink.LinkAttrs{Name: fmt.Sprint("d", i), Index: 100 + i}}))
		l := &netlink.GenericLink{LinkAttrs: netlink.LinkAttrs{Index: 100 + i}}
		must(b, s.LinkSetUp(l))
		must(b, s.AddrAdd(l, addr(b, fmt.Sprintf("10.%d.%d.1/24", i/256, i%256))))
		p := addr(b, fmt.Sprintf("2001:db8:%x::1/64", i))
		p.Flags = unix.IFA_F_NODAD
		must(b, s.AddrAdd(l, p))
		w := way{dst: netip.MustParsePrefix(fmt.Sprintf("172.%d.%d.0/24", 16+i/256, i%256)), table: 254,
			kind: unix.RTN_UNICAST, proto: unix.RTPROT_STATIC, hops: []nexthop{{index: int32(100 + i)}}}
		must(b, k.ask(rtmNewRoute, unix.NLM_F_CREATE, w.body()))
	}
	return s
}

// BenchmarkList compares the first picture with reading the same lists and
// leaving them unread.
func BenchmarkList(b *testing.B) {
	for _, n := range []int{100, 1000, 4000} {
		if testing.Short() && n > 1000 {
			continue
		}
		s := many(b, n)
		b.Run(fmt.Sprintf("links=%d/watcher", n), func(b *testing.B) {
			for b.Loop() {
				w := s.watch(b, nil)
				c, err := w.Receive(time.Time{})
				if must(b, err); len(c.Links) != n+1 {
					b.Fatal(len(c.Links))
				}
				w.Close()
			}
		})
		b.Run(fmt.Sprintf("links=%d/floor", n), func(b *testing.B) {
			for b.Loop() {
				w := &Watcher{config: (&Config{NetNS: fmt.Sprintf("/proc/self/fd/%d", s.fd)}).filled(), tables: newTables(slog.New(slog.DiscardHandler))}
				var err error
				w.socket, err = openSocket(&w.config)
				must(b, err)
				for k := range listKinds {
					w.seq++
					must(b, w.socket.send(w.dump(target{k, 0})))
					must(b, w.readRaw())
				}
				w.socket.file.Close()
			}
		})
	}
}

// readRaw reads a list to its end and looks at no more than the headers.
func (w *Watcher) readRaw() error {
	for {
		n, err := w.socket.receive(false, 1)
		if err != nil {
			return err
		}
		for i := range n {
			b, _, _ := w.socket.take(i)
			for {
				m, rest, ok := cutMessage(b)
				if !ok {
					break
				}
				if m.kind == nlmsgError {
					return errors.New("refused")
				}
				if m.kind == nlmsgDone {
					return nil
				}
				b = rest
			}
		}
	}
}

// BenchmarkEvent measures an address change from the request to what is told.
func BenchmarkEvent(b *testing.B) {
	s := newSpace(b)
	l, err := s.LinkByName("lo")
	must(b, err)
	must(b, s.LinkSetUp(l))
	o := newOracle(b, s, nil)
	o.settle(b)
	a := addr(b, "192.0.2.1/24")
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%2 == 0 {
			must(b, s.AddrAdd(l, a))
		} else {
			must(b, s.AddrDel(l, a))
		}
		for !o.take(b, time.Time{}) {
		}
	}
}

package mif

import (
	"encoding/binary"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-mif/mif/miftest"
	"github.com/go-mif/mif/pvd"
)

// A flood is a neighbour of a router that sends forged advertisements, as many as it can.
type flood struct {
	fd, link int
	sent     atomic.Uint64
	stop     atomic.Bool
	running  sync.WaitGroup
}

func newFlood(t testing.TB, r *miftest.Router) *flood {
	t.Helper()
	f := &flood{}
	err := r.Do(func() (err error) {
		link, err := net.InterfaceByName("lan")
		if err != nil {
			return err
		}
		f.link = link.Index
		f.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		f.end()
		unix.Close(f.fd)
	})
	return f
}

// send sends a frame, unless there is no room for it.
func (f *flood) send(frame []byte) {
	if unix.Sendto(f.fd, frame, 0, &unix.SockaddrLinklayer{Ifindex: f.link, Halen: 6}) == nil {
		f.sent.Add(1)
	}
}

// begin sends frames, again and again, until end.
func (f *flood) begin(frames [][]byte) {
	f.running.Go(func() {
		for n := 0; !f.stop.Load(); n++ {
			f.send(frames[n%len(frames)])
		}
	})
}

func (f *flood) end() {
	f.stop.Store(true)
	f.running.Wait()
}

// frame is an advertisement on the wire (RFC 8200 section 3, RFC 4443 section 2.3).
func frame(from netip.Addr, body []byte) []byte {
	all := netip.MustParseAddr("ff02::1")
	head := binary.BigEndian.AppendUint16([]byte{0x60, 0, 0, 0}, uint16(len(body)))
	head = slices.Concat(head, []byte{unix.IPPROTO_ICMPV6, 255}, from.AsSlice(), all.AsSlice())
	b := slices.Concat([]byte{0x33, 0x33, 0, 0, 0, 1, 2, 0, 0, 0xba, 0xd0, 0, 0x86, 0xdd}, head, body)
	sum := uint32(len(body)) + unix.IPPROTO_ICMPV6
	for at := 14 + 8; at < len(b); at += 2 { // addresses and body, whose checksum is zero
		sum += uint32(binary.BigEndian.Uint16(b[at:]))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	binary.BigEndian.PutUint16(b[14+40+2:], ^uint16(sum))
	return b
}

// forgedRouters are advertisements of as many routers, each with a prefix and a server.
func forgedRouters(n int) (frames [][]byte) {
	for i := range n {
		from := netip.AddrFrom16([16]byte{0xfe, 0x80, 8: 0xba, 9: 0xd0, 14: byte(i >> 8), 15: byte(i)})
		b := append(forged(""), 3, 4, 64, 0xc0, 0, 0, 1, 0, 0, 0, 0, 0x80, 0, 0, 0, 0)
		b[6] = 7
		prefix := [16]byte{0x20, 0x01, 0x0d, 0xb8, 0xba, 0xd0, byte(i >> 8), byte(i)}
		frames = append(frames, frame(from, append(b, prefix[:]...)))
	}
	return frames
}

// forgedNames are advertisements of as many domains.
func forgedNames(n int) (frames [][]byte) {
	for i := range n {
		frames = append(frames, frame(netip.MustParseAddr("fe80::bad"), forged(fmt.Sprintf("n%d.example", i))))
	}
	return frames
}

// A floodLab is a host with a domain on a link where there will be a flood, and another
// on a quiet link.
type floodLab struct {
	*lab
	*flood
	router *miftest.Router
	all    *subscriber
	quiet  *subscriber // to the addresses of the other link
	log    *os.File
}

func newFloodLab(t testing.TB) *floodLab {
	t.Helper()
	l := &floodLab{}
	var err error
	if l.log, err = os.Create(filepath.Join(t.TempDir(), "log")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.log.Close() })
	l.lab = newLab(t, Config{Log: slog.New(slog.NewTextHandler(l.log, nil))})
	l.router = l.Router(t, miftest.RouterConfig{Interface: "eth0", RA: domainRA("one.example", 1)})
	l.all = l.subscriber(AnnounceProvisioningDomains{})
	l.all.until("domain eth0/one.example")
	l.must(l.Net.Host().AddVeth("quiet0"))
	l.must(l.Net.Host().AddAddress("quiet0", netip.MustParsePrefix("192.0.2.5/24")))
	l.all.until("domain quiet0/ipv4")
	l.quiet = l.subscriber(AnnounceAddresses{l.pvd("quiet0/ipv4")})
	l.quiet.until("synced AnnounceAddresses")
	l.flood = newFlood(t, l.router)
	return l
}

// change has an address come and go on the quiet link, and tells how long the first
// took to be announced.
func (l *floodLab) change(n int) time.Duration {
	p := netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(10 + n%200)}), 24)
	at := time.Now()
	l.must(l.Net.Host().AddAddress("quiet0", p))
	l.quiet.until("address quiet0/ipv4 " + p.String())
	took := time.Since(at)
	l.must(l.Net.Host().DelAddress("quiet0", p))
	l.quiet.until("no address quiet0/ipv4 " + p.String())
	return took
}

// servers are the name servers that the good domain is known to have.
func (l *floodLab) servers() int {
	d, _ := l.host.Snapshot().Domain(l.pvd("eth0/one.example")).Data(pvd.ElementRA, pvd.ItemDNSServers).(pvd.DNSServers)
	return len(d)
}

// A flood of forged names, or of forged routers, of each ten thousand, leaves bounded
// state, which is said once; another link's changes are told all the while; the good
// domain is as it was, and is refreshed. The kernel's table of neighbours is one for all
// namespaces, so as many routers as that need an environment where nobody else is.
func TestHostAdvertisementFlood(t *testing.T) {
	routers := 400
	if os.Getenv("MIF_FLOOD") != "" {
		routers = 10_000
	}
	for _, c := range []struct {
		name   string
		frames [][]byte
		said   string
	}{
		{"names", forgedNames(10_000), "more named provisioning domains"},
		{"routers", forgedRouters(routers), "more routers"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newFloodLab(t)
			good, before := l.pvd("eth0/one.example"), heap()
			l.begin(c.frames)
			for n := 0; n < 20 || int(l.sent.Load()) < len(c.frames); n++ {
				l.change(n)
			}
			l.all.when("the good domain is refreshed", func() bool {
				l.send(frame(l.router.LinkLocal(), forged("one.example"))) // it may be crowded out of the kernel's queue
				return l.servers() == 2
			})
			l.end()
			l.all.settled()
			if l.pvd("eth0/one.example") != good {
				t.Error("the good domain is another")
			}
			for i := range l.host.Snapshot().Interfaces() {
				if f := l.host.whole.Load().Facts(i.ID); len(f.RAs) > 64+256 || len(f.Routes) > 300 {
					t.Errorf("%s: %d advertisements and %d routes are kept", i.Name, len(f.RAs), len(f.Routes))
				}
			}
			log, err := os.ReadFile(l.log.Name())
			l.must(err)
			if n := strings.Count(string(log), c.said); n != 1 {
				t.Errorf("it was said %d times:\n%s", n, log)
			}
			if more := heap() - before; more > 32<<20 {
				t.Errorf("%d KiB more are used", more>>10)
			}
		})
	}
}

// BenchmarkFlood is how long an address of another link takes to be announced while
// there is a flood, at half and at nearly all of the changes.
func BenchmarkFlood(b *testing.B) {
	for _, c := range []struct {
		name   string
		frames [][]byte
	}{{"none", nil}, {"names", forgedNames(10_000)}, {"routers", forgedRouters(10_000)}} {
		b.Run(c.name, func(b *testing.B) {
			l := newFloodLab(b)
			if c.frames != nil {
				l.begin(c.frames)
			}
			var all []time.Duration
			for n := 0; b.Loop(); n++ {
				all = append(all, l.change(n))
			}
			slices.Sort(all)
			b.ReportMetric(float64(all[len(all)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(all[len(all)*99/100].Microseconds()), "p99-µs")
			b.ReportMetric(float64(l.sent.Load())/b.Elapsed().Seconds(), "forged/s")
		})
	}
}

package mif

import (
	"net"
	"testing"

	"golang.org/x/net/ipv6"

	"github.com/go-mif/mif/miftest"
)

// A crier advertises a name server of a domain, and takes it back, by turns.
type crier struct {
	*forger
	router     *miftest.Router
	more, less []byte
	n          int
}

func newCrier(b *testing.B, r *miftest.Router) *crier {
	a := &crier{forger: newForger(b, r), router: r, more: forged("one.example"), less: forged("one.example")}
	copy(a.less[20:24], []byte{0, 0, 0, 0}) // its lifetime
	return a
}

func (a *crier) advertise() {
	a.n++
	a.send(a.router.LinkLocal(), 255, [][]byte{a.less, a.more}[a.n%2])
}

// BenchmarkAdvertisement is from the sending of an advertisement to a session's Get of
// what it changes: a name server more, or one less. Beside it is how long it takes a
// goroutine to have it from a raw socket and hand it to another, undecoded.
func BenchmarkAdvertisement(b *testing.B) {
	b.Run("floor", func(b *testing.B) {
		l := newLab(b, Config{})
		r := l.Router(b, miftest.RouterConfig{Interface: "eth0", RA: domainRA("one.example", 1)})
		l.must(l.host.Close()) // nobody else listens
		heard := listenRaw(b, l)
		a := newCrier(b, r)
		for b.Loop() {
			a.advertise()
			<-heard
		}
	})
	b.Run("session", func(b *testing.B) {
		l := newLab(b, Config{})
		r := l.Router(b, miftest.RouterConfig{Interface: "eth0", RA: domainRA("one.example", 1)})
		s := l.subscriber(AnnounceProvisioningDomains{})
		s.until("domain eth0/one.example")
		s.post(AnnounceConfigurationElements{l.pvd("eth0/one.example")})
		s.until("synced AnnounceConfigurationElements")
		a := newCrier(b, r)
		for b.Loop() {
			a.advertise()
			s.until("element eth0/one.example RA")
		}
	})
}

// listenRaw hands over the advertisements that come to the host.
func listenRaw(b *testing.B, l *lab) <-chan []byte {
	b.Helper()
	heard := make(chan []byte, 16)
	l.must(l.Net.Host().Do(func() error {
		c, err := net.ListenPacket("ip6:ipv6-icmp", "::")
		if err != nil {
			return err
		}
		b.Cleanup(func() { c.Close() })
		var only ipv6.ICMPFilter
		only.SetAll(true)
		only.Accept(ipv6.ICMPTypeRouterAdvertisement)
		go func() {
			for buf := make([]byte, 1500); ; {
				n, _, err := c.ReadFrom(buf)
				if err != nil {
					return
				}
				heard <- append([]byte(nil), buf[:n]...)
			}
		}()
		return ipv6.NewPacketConn(c).SetICMPFilter(&only)
	}))
	return heard
}

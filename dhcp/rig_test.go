package dhcp

import (
	"encoding/hex"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-mif/mif/pvd"
)

var (
	ours4  = netip.MustParseAddr("192.0.2.7")
	ours6  = netip.MustParseAddr("fe80::7")
	theirs = map[bool]netip.Addr{true: netip.MustParseAddr("192.0.2.1"), false: netip.MustParseAddr("fe80::1")}
)

// question is one about eth0, whose index is 7.
func question(t testing.TB, from netip.Addr) Question {
	t.Helper()
	hardware := net.HardwareAddr{2, 0, 0, 0, 0, 7}
	f := &pvd.Facts{
		Interface: pvd.Interface{ID: pvd.NewInterfaceID(7, "eth0"), Name: "eth0", Index: 7, Up: true, Carrier: true, MTU: 1500, HardwareAddr: hardware},
		Addresses: []pvd.AddressFact{{Address: pvd.Address{Prefix: netip.MustParsePrefix("192.0.2.7/24")}}},
	}
	for d := range pvd.Build(&pvd.Snapshot{}, []*pvd.Facts{f}, nil, pvd.Options{}, time.Now()).Domains() {
		return Question{PvD: d.ID(), From: from, HardwareAddr: [6]byte(hardware), MTU: 1500}
	}
	t.Fatal("no domain")
	return Question{}
}

// A rig is a machine at a virtual time, whose random numbers are all in the middle.
type rig struct {
	*testing.T
	*machine
	Question
	start, now time.Time
}

func newRig(t *testing.T, from netip.Addr) *rig {
	r := &rig{T: t, machine: newMachine(), Question: question(t, from), start: time.Unix(1e9, 0)}
	r.now = r.start
	r.random = func() float64 { return 0.5 }
	r.ask([]Question{r.Question}, r.now)
	return r
}

// sent goes on to the next message, and tells when that is.
func (r *rig) sent() (time.Duration, datagram) {
	r.Helper()
	for range 10 {
		r.now = r.wake(r.now)
		if out := r.due(r.now); len(out) == 1 && out[0].index == 7 {
			return r.now.Sub(r.start), out[0].datagram
		}
	}
	r.Fatal("nothing is sent")
	return 0, datagram{}
}

// answer is what a good server sends to a message.
func answer(q datagram, options ...string) datagram {
	four := q.from.Addr().Is4()
	d := datagram{from: netip.AddrPortFrom(theirs[four], q.to.Port()), to: q.from}
	if four {
		d.payload = slices.Clone(q.payload[:header4])
		d.payload[0] = 2
		d.payload = append(d.payload, octets(append([]string{"350105", "3604c0000201"}, options...)...)...)
		return d
	}
	d.payload = append([]byte{7}, q.payload[1:4]...)
	d.payload = append(d.payload, octets(append([]string{"0002 000a 00030001 020000000001"}, options...)...)...)
	return d
}

// octets are those written in hexadecimal digits; other characters are skipped.
func octets(digits ...string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(strings.Join(digits, ""), " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

// is tells whether there is an answer with just this server.
func (r *rig) is(server string) bool {
	var all []string
	for _, a := range r.answers() {
		for _, d := range a.Configuration.DNSServers {
			all = append(all, d.Value.Addr().String())
		}
	}
	return strings.Join(all, " ") == server
}

const (
	dns4 = "0604c0000235"
	dns6 = "0017 0010 20010db8000000000000000000000053"
)

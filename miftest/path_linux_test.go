package miftest_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/go-mif/mif/miftest"
)

// setPath skips a test where no packet can be made late.
func setPath(t *testing.T, r *miftest.Router, to string, p miftest.Path) {
	t.Helper()
	err := r.SetPath(netip.MustParsePrefix(to), p)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
		t.Skip(err)
	}
	must(t, err)
}

// Packets to a prefix are late, as long as they are said to be, and others not; it holds
// for what the router has and for what it would refuse.
func TestPathDelays(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	h := n.Host()
	r := n.Router(t, miftest.RouterConfig{Interface: "eth0", RA: miftest.NewRA(prefix1), IPv4: netip.MustParsePrefix("192.168.1.1/24")})
	six, err := h.AwaitSLAAC("eth0", prefix1)
	must(t, err)
	four := netip.MustParseAddr("192.168.1.9")
	must(t, h.AddAddress("eth0", netip.PrefixFrom(four, 24)))
	must(t, h.AddRoute(miftest.Route{Destination: netip.MustParsePrefix("0.0.0.0/0"), Gateway: netip.MustParseAddr("192.168.1.1"), Interface: "eth0"}))
	const late = 60 * time.Millisecond
	setPath(t, r, "198.51.100.0/24", miftest.Path{Delay: late})
	setPath(t, r, "198.51.100.2/32", miftest.Path{})
	setPath(t, r, "2001:db8:f::1/128", miftest.Path{Delay: late})
	for _, c := range []struct {
		at    string
		from  netip.Addr
		least time.Duration
	}{
		{"198.51.100.1:80", four, late}, {"198.51.100.2:80", four, 0}, {"203.0.113.1:80", four, 0},
		{"[2001:db8:f::1]:80", six, late}, {"[2001:db8:f::2]:80", six, 0},
	} {
		at := netip.MustParseAddrPort(c.at)
		_, err := r.ServeLine(at, "here", 0)
		must(t, err)
		b := bound{h, "eth0", c.from}
		b.connect(t, "tcp", at).Close() // the neighbour becomes known
		for closed := range 2 {
			took, err := b.time(t, netip.AddrPortFrom(at.Addr(), at.Port()+uint16(closed)))
			if (err == nil) != (closed == 0) || took < c.least {
				t.Errorf("%v: %v after %v, want %v at least", at, err, took, c.least)
			}
			if c.least == 0 && took >= late {
				t.Errorf("%v: %v after %v, though nothing makes it late", at, err, took)
			}
		}
	}
}

// A path can be changed, and lose everything or some of what takes it.
func TestPathLoses(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	r := n.Router(t, miftest.RouterConfig{Interface: "eth0", RA: miftest.NewRA(prefix1)})
	six, err := n.Host().AwaitSLAAC("eth0", prefix1)
	must(t, err)
	var in [2]net.PacketConn
	var out [2]net.Conn
	for i, a := range []string{"[2001:db8:f::1]:53", "[2001:db8:f::2]:53"} {
		at := netip.MustParseAddrPort(a)
		in[i], err = r.ListenPacket(at)
		must(t, err)
		out[i] = (bound{n.Host(), "eth0", six}).connect(t, "udp", at)
		defer out[i].Close()
	}
	setPath(t, r, "2001:db8:f::2/128", miftest.Path{})
	// arrive sends numbers and tells which of them come before something else that
	// takes the same way, and is not lost.
	arrive := func(loss float64) (got []byte) {
		setPath(t, r, "2001:db8:f::1/128", miftest.Path{Loss: loss})
		b := make([]byte, 9)
		for i := range 100 {
			_, err := out[0].Write([]byte{byte(i)})
			must(t, err)
		}
		_, err := out[1].Write([]byte("end"))
		must(t, err)
		must(t, in[1].SetReadDeadline(time.Now().Add(10*time.Second)))
		_, _, err = in[1].ReadFrom(b)
		must(t, err)
		must(t, in[0].SetReadDeadline(time.Now().Add(time.Millisecond)))
		for {
			if _, _, err := in[0].ReadFrom(b); err != nil {
				return got
			}
			got = append(got, b[0])
		}
	}
	if got := arrive(0); len(got) != 100 || !slices.IsSorted(got) {
		t.Errorf("without loss %v came", got)
	}
	if got := arrive(1); len(got) != 0 {
		t.Errorf("with nothing left %v came", got)
	}
	if got := arrive(0.5); len(got) < 20 || len(got) > 80 || !slices.IsSorted(got) {
		t.Errorf("of half of them %v came", got)
	}
}

func TestPathRefused(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	r := n.Router(t, miftest.RouterConfig{Interface: "eth0", RA: miftest.NewRA(prefix1), IPv4: netip.MustParsePrefix("192.168.1.1/24")})
	for _, p := range []miftest.Path{{Delay: -1}, {Loss: -0.1}, {Loss: 1.1}} {
		if err := r.SetPath(netip.MustParsePrefix("192.0.2.0/24"), p); err == nil {
			t.Errorf("%+v is taken", p)
		}
	}
	for _, p := range []netip.Prefix{{}, prefix1, netip.MustParsePrefix("192.168.1.1/32"), netip.MustParsePrefix("::/0"), netip.MustParsePrefix("fe80::1/128")} {
		if err := r.SetPath(p, miftest.Path{}); err == nil {
			t.Errorf("a path to %v", p)
		}
	}
	must(t, r.Die())
	if err := r.SetPath(netip.MustParsePrefix("192.0.2.0/24"), miftest.Path{}); !errors.Is(err, os.ErrClosed) {
		t.Errorf("on a dead router: %v", err)
	}
}

// time tells how long a connection takes, or its refusal.
func (b bound) time(t *testing.T, to netip.AddrPort) (took time.Duration, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	began := time.Now()
	c, err := b.dial(ctx, "tcp", to)
	if err == nil {
		c.Close()
	}
	return time.Since(began), err
}

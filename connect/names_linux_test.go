package connect

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"
)

// A name is translated by Lookup alone, and its addresses are tried until one answers.
func TestDialName(t *testing.T) {
	u := swallowing(t)
	d := fixed(domain2(u.host.index("up2")))
	d.NetNS = u.host.path()
	vain := errors.New("no such name")
	names := map[string][]string{
		"both.example":    {far6, far4},
		"lacking.example": {"fe80::1%lo", far4}, // in no zone of the domain
		"silent.example":  {"198.18.0.1", far4},
		"empty.example":   {},
	}
	asked := ""
	d.Lookup = func(_ context.Context, network, host string) (all []netip.Addr, err error) {
		asked = network
		list, known := names[host]
		if !known {
			err = vain
		}
		for _, a := range list {
			all = append(all, netip.MustParseAddr(a))
		}
		return all, err
	}
	ctx := context.Background()
	for _, c := range []struct{ network, to, asked, from string }{
		{"tcp", "both.example:80", "ip", "2001:db8:2::2"},
		{"tcp6", "both.example:80", "ip6", "2001:db8:2::2"},
		{"udp", "both.example:80", "ip", "2001:db8:2::2"},
		{"tcp4", "lacking.example:80", "ip4", "10.2.0.2"},
		{"tcp", far4 + ":80", "", "10.2.0.2"}, // a literal is not asked for
	} {
		asked = ""
		conn, err := d.DialContext(ctx, c.network, c.to)
		wantServer(t, c.to, conn, err, c.from)
		if asked != c.asked {
			t.Errorf("%s %s: asked for %q, want %q", c.network, c.to, asked, c.asked)
		}
	}
	for to, want := range map[string]error{
		"other.example:80":   vain,
		"empty.example:80":   ErrBadDestination,
		"both.example:http":  ErrBadDestination,
		"both.example:81":    syscall.ECONNREFUSED,
		":80":                ErrBadDestination,
		"both.example":       ErrBadDestination,
		"both.example:65536": ErrBadDestination,
	} {
		conn, err := d.DialContext(ctx, "tcp", to)
		checkError(t, to, conn, err, want)
	}
	ctx, cancel := context.WithTimeout(ctx, 4*time.Second)
	defer cancel()
	conn, err := d.DialContext(ctx, "tcp", "silent.example:80") // two seconds of the four
	wantServer(t, "after silence", conn, err, "10.2.0.2")
}

// What ends a dial ends its look-up, and shows as itself.
func TestLookupEnds(t *testing.T) {
	life, end := context.WithCancelCause(context.Background())
	d := fixed(Domain{Name: "x", Interface: 1})
	d.Context = life
	d.Lookup = func(ctx context.Context, _, _ string) ([]netip.Addr, error) {
		end(errGone)
		<-ctx.Done()
		return nil, ctx.Err()
	}
	conn, err := d.DialContext(context.Background(), "tcp", net.JoinHostPort("name.example", "80"))
	checkError(t, "domain's end", conn, err, errGone)
}

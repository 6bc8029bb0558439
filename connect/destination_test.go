package connect

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"
)

// fixed makes a Dialer of a domain that does not change. The Timeout is there to
// end a test that goes wrong.
func fixed(d Domain) *Dialer {
	return &Dialer{Domain: func() (Domain, error) { return d, nil }, Timeout: 20 * time.Second}
}

// What is refused before the kernel is asked anything.
func TestRefusedAtOnce(t *testing.T) {
	d := fixed(Domain{Name: "eth7/x", Interface: 7, Addresses: addresses("10.0.0.2/24 2001:db8::2/64 2001:db8::3/64,tentative")})
	for _, c := range []struct {
		network, address string
		want             error
	}{
		{"tcp", "www.example.com:80", ErrBadDestination},
		{"tcp", "192.0.2.1:http", ErrBadDestination},
		{"tcp", "192.0.2.1", ErrBadDestination},
		{"tcp", ":80", ErrBadDestination},
		{"tcp", "", ErrBadDestination},
		{"tcp", "192.0.2.1:0", ErrBadDestination},
		{"tcp", "0.0.0.0:80", ErrBadDestination},
		{"udp", "[::]:80", ErrBadDestination},
		{"tcp", "[::ffff:0.0.0.0]:80", ErrBadDestination},
		{"udp", "127.0.0.53:53", ErrBadDestination},
		{"tcp", "[::1]:80", ErrBadDestination},
		{"tcp", "224.0.0.1:80", ErrBadDestination},
		{"tcp", "[ff02::1]:80", ErrBadDestination},
		{"tcp", "255.255.255.255:80", ErrBadDestination},
		{"tcp4", "[2001:db8::1]:80", ErrBadDestination},
		{"tcp6", "192.0.2.1:80", ErrBadDestination},
		{"udp6", "[::ffff:192.0.2.1]:80", ErrBadDestination},
		{"tcp", "[fe80::1%8]:80", ErrBadDestination},
		{"tcp", "[2001:db8::1%8]:80", ErrBadDestination},
		{"ip", "192.0.2.1:80", ErrBadDestination},
		{"unix", "192.0.2.1:80", ErrBadDestination},
	} {
		conn, err := d.DialContext(context.Background(), c.network, c.address)
		checkError(t, c.network+" "+c.address, conn, err, c.want)
	}
}

func checkError(t *testing.T, what string, conn net.Conn, err, want error) {
	t.Helper()
	if conn != nil {
		t.Errorf("%s: got a connection", what)
		conn.Close()
	}
	var e *Error
	if !errors.As(err, &e) || !errors.Is(err, want) {
		t.Errorf("%s: error %v, want an *Error that is %v", what, err, want)
	}
}

func TestSourcesRefusedAtOnce(t *testing.T) {
	d := fixed(Domain{Name: "eth7/x", Interface: 7, Addresses: addresses("2001:db8::2/64 2001:db8::3/64,tentative fe80::2/64")})
	for _, c := range []struct {
		from, to string
		want     error
	}{
		{"2001:db8::9", "[2001:db8::1]:80", ErrForeignSource},
		{"10.0.0.2", "192.0.2.1:80", ErrForeignSource},
		{"fe80::2%8", "[fe80::1]:80", ErrForeignSource},
		{"2001:db8::3", "[2001:db8::1]:80", ErrNoSource},
		{"2001:db8::3", "[2001:db8::1]:80", syscall.EADDRNOTAVAIL},
		{"2001:db8::2", "192.0.2.1:80", ErrNoSource},
	} {
		conn, err := d.DialFrom(context.Background(), "tcp", netip.MustParseAddr(c.from), netip.MustParseAddrPort(c.to))
		checkError(t, c.from+" to "+c.to, conn, err, c.want)
	}
	conn, err := d.DialFrom(context.Background(), "tcp", netip.Addr{}, netip.MustParseAddrPort("192.0.2.1:80"))
	checkError(t, "the zero source", conn, err, ErrForeignSource)
	conn, err = d.Dial(context.Background(), "tcp", netip.MustParseAddrPort("192.0.2.1:80"))
	checkError(t, "a family the domain lacks", conn, err, ErrNoSource)
}

func TestDomainErrors(t *testing.T) {
	gone := errors.New("domain gone")
	to := netip.MustParseAddrPort("192.0.2.1:80")
	d := &Dialer{Domain: func() (Domain, error) { return Domain{}, gone }}
	conn, err := d.Dial(context.Background(), "tcp", to)
	checkError(t, "a domain that is gone", conn, err, gone)
	if _, err := d.Explain(to); !errors.Is(err, gone) {
		t.Errorf("Explain in a domain that is gone: %v", err)
	}
	if _, err := d.Listen(context.Background(), "tcp", ":0"); !errors.Is(err, gone) {
		t.Errorf("Listen in a domain that is gone: %v", err)
	}
	conn, err = fixed(Domain{Addresses: addresses("10.0.0.1/8")}).Dial(context.Background(), "tcp", to)
	checkError(t, "a domain without an interface", conn, err, syscall.ENODEV)
	if _, err := new(Dialer).Dial(context.Background(), "tcp", to); err == nil {
		t.Error("a Dialer without a Domain dialled")
	}
}

// Contexts that are done end a dial before the domain is even asked for.
func TestDoneBeforeItBegins(t *testing.T) {
	why := errors.New("no longer wanted")
	done, cancel := context.WithCancelCause(context.Background())
	cancel(why)
	asked := false
	d := &Dialer{Domain: func() (Domain, error) { asked = true; return Domain{}, nil }}
	to := netip.MustParseAddrPort("192.0.2.1:80")
	conn, err := d.Dial(done, "tcp", to)
	checkError(t, "cancelled", conn, err, why)
	checkError(t, "cancelled", conn, err, context.Canceled)
	d.Context = done
	conn, err = d.Dial(context.Background(), "tcp", to)
	checkError(t, "domain's life over", conn, err, why)
	if errors.Is(err, context.Canceled) {
		t.Errorf("the domain's end looks like the caller's: %v", err)
	}
	if _, err := d.Explain(to); !errors.Is(err, why) {
		t.Errorf("Explain after the domain's life: %v", err)
	}
	if _, err := d.ListenPacket(context.Background(), "udp", ":0"); !errors.Is(err, why) {
		t.Errorf("ListenPacket after the domain's life: %v", err)
	}
	if asked {
		t.Error("the domain was asked for")
	}
}

func TestErrorText(t *testing.T) {
	e := &Error{Op: "dial", Domain: "eth0/ipv4", Network: "tcp", Source: netip.MustParseAddr("10.0.0.2"),
		To: netip.MustParseAddrPort("192.0.2.1:80"), Err: syscall.ECONNREFUSED}
	for _, part := range []string{"connect: eth0/ipv4: dial tcp from 10.0.0.2 to 192.0.2.1:80: ", syscall.ECONNREFUSED.Error()} {
		if !strings.Contains(e.Error(), part) {
			t.Errorf("%q lacks %q", e, part)
		}
	}
	if e.Timeout() || !(&Error{Err: syscall.ETIMEDOUT}).Timeout() || !(&Error{Err: context.DeadlineExceeded}).Timeout() {
		t.Error("Timeout does not tell a time-out from a refusal")
	}
	var _ net.Error = e
}

func TestListenRefusals(t *testing.T) {
	d := fixed(Domain{Interface: 7, Addresses: addresses("10.0.0.2/24 10.0.0.3/24,tentative")})
	for _, c := range []struct {
		network, address string
		want             error
	}{
		{"tcp", "10.0.0.9:0", ErrForeignSource},
		{"tcp", "10.0.0.3:0", ErrForeignSource},
		{"tcp", "0.0.0.0:0", ErrForeignSource},
		{"tcp6", ":0", ErrNoSource},
		{"tcp6", "10.0.0.2:0", ErrForeignSource},
		{"udp", ":0", net.UnknownNetworkError("udp")},
		{"tcp", "name:0", nil},
		{"tcp", ":http", nil},
	} {
		ln, err := d.Listen(context.Background(), c.network, c.address)
		if ln != nil || err == nil || (c.want != nil && !errors.Is(err, c.want)) {
			t.Errorf("Listen(%q, %q) = %v, %v; want %v", c.network, c.address, ln, err, c.want)
		}
	}
}

func TestListenChoice(t *testing.T) {
	l := listening{path: path{domain: Domain{Addresses: addresses(`169.254.1.1/16 10.0.0.2/24 fe80::1/64
		2001:db8::5/64,deprecated 2001:db8::6/64,temporary 2001:db8::7/64 2001:db8::8/64,tentative`)}}}
	for family, want := range map[int]string{0: "2001:db8::7/64", 4: "10.0.0.2/24", 6: "2001:db8::7/64"} {
		if got := l.servable(family)[0].Prefix.String(); got != want {
			t.Errorf("family %d: %s, want %s", family, got, want)
		}
	}
	if n := len(l.servable(0)); n != 6 {
		t.Errorf("%d addresses to listen at, want all but the tentative one", n)
	}
}

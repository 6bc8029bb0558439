package connect

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// silent4 and silent6 are routed to r2, which swallows what is for them.
const (
	silent4 = "198.18.0.1:80"
	silent6 = "[2001:db8:5117::1]:80"
)

func swallowing(t testing.TB) *uplinks {
	u := distinct(t)
	u.r2.route("198.18.0.0/15", "", "", kind(unix.RTN_BLACKHOLE))
	u.r2.route("2001:db8:5117::/48", "", "", kind(unix.RTN_BLACKHOLE))
	return u
}

// dialling is a dial under way in the background.
type dialling struct {
	conn net.Conn
	err  error
	done chan struct{}
}

func (u *uplinks) dialling(d *Dialer, ctx context.Context, to string) *dialling {
	x := &dialling{done: make(chan struct{})}
	c := u.host.capture("up2")
	go func() {
		defer close(x.done)
		x.conn, x.err = d.DialContext(ctx, "tcp", to)
	}()
	dst := netip.MustParseAddrPort(to).Addr()
	u.host.must(c.f.SetReadDeadline(time.Now().Add(safetyNet)))
	for buf := make([]byte, 2048); ; { // until the first SYN is out
		n, err := c.f.Read(buf)
		u.host.must(err)
		if f := parseFrame(buf[:n]); f.what == "ip" && f.dst == dst {
			return x
		}
	}
}

// wait is for a dial that must end by itself, long before TCP gives up.
func (x *dialling) wait(t *testing.T) {
	t.Helper()
	select {
	case <-x.done:
	case <-time.After(safetyNet):
		t.Fatal("the dial goes on")
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(fds)
}

var errGone = errors.New("the domain has gone")

// Each way a dial can be ended from outside shows as itself, and leaves nothing.
func TestEnds(t *testing.T) {
	u := swallowing(t)
	cause := errors.New("found a better one")
	for _, c := range []struct {
		name    string
		end     func(caller, life context.CancelCauseFunc)
		timeout time.Duration
		want    []error
		not     []error
		slow    bool
	}{
		{"cancel", func(caller, _ context.CancelCauseFunc) { caller(nil) }, 0, []error{context.Canceled}, []error{errGone}, false},
		{"cancel with a cause", func(caller, _ context.CancelCauseFunc) { caller(cause) }, time.Hour, []error{context.Canceled, cause}, []error{errGone}, false},
		{"domain's end", func(_, life context.CancelCauseFunc) { life(errGone) }, time.Hour, []error{errGone}, []error{context.Canceled}, false},
		{"Timeout", func(_, _ context.CancelCauseFunc) {}, 50 * time.Millisecond, []error{context.DeadlineExceeded}, []error{context.Canceled, errGone}, true},
	} {
		for _, to := range []string{silent4, silent6} {
			t.Run(c.name+" "+to, func(t *testing.T) {
				before := goleak.IgnoreCurrent()
				caller, cancelCaller := context.WithCancelCause(context.Background())
				life, cancelLife := context.WithCancelCause(context.Background())
				defer cancelCaller(nil)
				defer cancelLife(nil)
				d := fixed(domain2(u.host.index("up2")))
				d.NetNS, d.Context, d.Timeout = u.host.path(), life, c.timeout
				x := u.dialling(d, caller, to)
				n := descriptors(t)
				c.end(cancelCaller, cancelLife)
				x.wait(t)
				for _, w := range c.want {
					checkError(t, c.name, x.conn, x.err, w)
				}
				for _, w := range c.not {
					if errors.Is(x.err, w) {
						t.Errorf("%v should not be %v", x.err, w)
					}
				}
				var ne net.Error
				if !errors.As(x.err, &ne) || ne.Timeout() != c.slow {
					t.Errorf("Timeout() of %v, want %v", x.err, c.slow)
				}
				if m := descriptors(t); !c.slow && m != n-2 { // the socket, and the one for ICMP errors
					t.Errorf("%d descriptors while dialling, %d after", n, m)
				}
				goleak.VerifyNone(t, before)
			})
		}
	}
}

func TestCallersDeadline(t *testing.T) {
	u := swallowing(t)
	d := fixed(domain2(u.host.index("up2")))
	d.NetNS = u.host.path()
	slow := errors.New("this took too long")
	for _, to := range []string{silent4, silent6} {
		ctx, cancel := context.WithTimeoutCause(context.Background(), 50*time.Millisecond, slow)
		conn, err := d.DialContext(ctx, "tcp", to)
		cancel()
		checkError(t, to, conn, err, context.DeadlineExceeded)
		checkError(t, to, conn, err, slow)
		var e *Error
		if errors.As(err, &e) && !e.Timeout() {
			t.Errorf("not a time-out: %v", err)
		}
	}
}

// The life of a domain that ends after the connect is not the connection's end.
func TestConnectionOutlivesBounds(t *testing.T) {
	u := swallowing(t)
	life, end := context.WithCancelCause(context.Background())
	d := fixed(domain2(u.host.index("up2")))
	d.NetNS, d.Context, d.Timeout = u.host.path(), life, time.Hour
	conn, err := d.DialContext(context.Background(), "tcp", "["+far6+"]:80")
	end(errGone)
	wantServer(t, "after the domain's end", conn, err, "2001:db8:2::2")
}

// Many at once, of one Dialer, with success, refusal and cancellation mixed.
func TestConcurrentDials(t *testing.T) {
	u := swallowing(t)
	before, n := goleak.IgnoreCurrent(), descriptors(t)
	d := fixed(domain2(u.host.index("up2")))
	d.NetNS = u.host.path()
	ctx, cancel := context.WithCancel(context.Background())
	results, late := make(chan error), make(chan error)
	dial := func(to string, c chan error) {
		conn, err := d.DialContext(ctx, "tcp", to)
		if err == nil {
			_, err = whoIsThere(conn)
			conn.Close()
		}
		c <- err
	}
	const each = 20
	for range each {
		go dial(far4+":80", results)
		go dial("["+far6+"]:80", results)
		go dial(silent4, late)
		go dial("127.0.0.1:80", late)
	}
	for range 2 * each {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	cancel()
	for range 2 * each {
		if err := <-late; !errors.Is(err, context.Canceled) && !errors.Is(err, ErrBadDestination) {
			t.Error(err)
		}
	}
	goleak.VerifyNone(t, before)
	if m := descriptors(t); m != n {
		t.Errorf("%d descriptors before, %d after", n, m)
	}
}

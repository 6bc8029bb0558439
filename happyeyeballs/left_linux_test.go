package happyeyeballs

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/go-mif/mif/miftest"
)

// Nothing is left when DialContext returns, whether it wins, loses or panics in a
// hook. It runs before the parallel tests.
func TestNothingIsLeft(t *testing.T) {
	r := newRig(t)
	u := r.uplink("eth0", 1, "46", miftest.Zone{"www.example": name(silent6, good4), "late.example": faulty(name(good4), none, miftest.Fault{Drop: true})}, nil)
	u.silence(silent6)
	ended := make(chan error, 8)
	if _, err := u.Serve(netip.MustParseAddrPort(good4+":80"), func(c net.Conn) {
		_, err := c.Read(make([]byte, 1))
		ended <- err
	}); err != nil {
		t.Fatal(err)
	}
	wait := func() {
		t.Helper()
		select {
		case err := <-ended:
			if err == nil {
				t.Error("something was sent")
			}
		case <-time.After(generous):
			t.Error("a connection is left open")
		}
	}
	panics := func(n string) {
		defer func() {
			if recover() == nil {
				t.Error("the hook did not panic")
			}
		}()
		d := &Dialer{Host: r.host, AttemptDelay: ms(20), Trace: &Trace{Connected: func(time.Time, Attempt) { panic(n) }}}
		d.DialContext(t.Context(), "tcp", n)
	}
	for _, n := range []string{"www.example:80", "late.example:80"} {
		if o := r.dial(&Dialer{AttemptDelay: ms(20)}, "tcp", n); o.err != nil {
			t.Error(o.err)
		}
		wait()
		panics(n)
		wait()
		d := &Dialer{AttemptDelay: ms(20), Timeout: ms(200), Validate: func(ctx context.Context, conn net.Conn) error {
			_, err := conn.Read(make([]byte, 1)) // until it is closed
			return err
		}}
		if o := r.dial(d, "tcp", n); !errors.Is(o.err, context.DeadlineExceeded) {
			t.Error(o.err)
		}
		wait()
	}
	// What the Host keeps for later, such as sockets of a resolver, is its own.
	r.until("every goroutine of the races to end", func() bool {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		return !bytes.Contains(stacks, []byte("mif.(*Session).")) && !bytes.Contains(stacks, []byte("happyeyeballs.(*race)."))
	})
}

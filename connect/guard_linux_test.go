package connect

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/vishvananda/netlink"
	"go.uber.org/goleak"
)

// A changing is a domain whose value can be replaced.
type changing struct {
	mu     sync.Mutex
	domain Domain
	err    error
	retire context.CancelFunc
	asked  chan struct{}
}

func (c *changing) Domain() (Domain, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case c.asked <- struct{}{}:
	default:
	}
	return c.domain, c.err
}

func (c *changing) set(d Domain, err error) {
	c.mu.Lock()
	retire := c.retire
	c.domain, c.err = d, err
	c.domain.Generation++
	c.domain.Changed, c.retire = context.WithCancel(context.Background())
	c.mu.Unlock()
	if retire != nil {
		retire()
	}
}

// A dial ends at once when its domain loses the source, and only then.
func TestSourceGoneWhileConnecting(t *testing.T) {
	u := swallowing(t)
	whole := domain2(u.host.index("up2"))
	deprecated, tentative, moved, without := whole, whole, whole, whole
	deprecated.Addresses = addresses("10.2.0.2/24,deprecated 2001:db8:2::2/64,deprecated")
	tentative.Addresses = addresses("10.2.0.2/24,tentative 2001:db8:2::2/64,tentative")
	moved.Interface++
	without.Addresses = addresses("10.2.0.9/24")
	for _, c := range []struct {
		name   string
		domain Domain
		err    error
		want   error
	}{
		{"address gone", without, nil, ErrSourceGone},
		{"address tentative again", tentative, nil, ErrSourceGone},
		{"another interface", moved, nil, ErrSourceGone},
		{"domain gone", whole, errGone, errGone},
	} {
		for _, to := range []string{silent4, silent6} {
			t.Run(c.name+" "+to, func(t *testing.T) {
				before := goleak.IgnoreCurrent()
				x := &changing{asked: make(chan struct{}, 1)}
				x.set(whole, nil)
				d := &Dialer{Domain: x.Domain, NetNS: u.host.path(), Timeout: safetyNet}
				dial := u.dialling(d, context.Background(), to)
				<-x.asked
				for range 3 { // changes that leave the source alone
					x.set(deprecated, nil)
					<-x.asked
				}
				select {
				case <-dial.done:
					t.Fatalf("ended for nothing: %v", dial.err)
				default:
				}
				x.set(c.domain, c.err)
				dial.wait(t)
				checkError(t, c.name, dial.conn, dial.err, c.want)
				checkError(t, c.name, dial.conn, dial.err, ErrSourceGone)
				if errors.Is(dial.err, context.Canceled) || dial.err.(*Error).Timeout() {
					t.Errorf("looks like the caller's doing: %v", dial.err)
				}
				goleak.VerifyNone(t, before)
			})
		}
	}
}

// A domain that always says it is out of date is not asked for ever.
func TestChangedFromTheStart(t *testing.T) {
	u := distinct(t)
	domain := domain2(u.host.index("up2"))
	done, cancel := context.WithCancel(context.Background())
	cancel()
	domain.Changed = done
	d := fixed(domain)
	d.NetNS = u.host.path()
	conn, err := d.DialContext(context.Background(), "tcp", far4+":80")
	wantServer(t, "out of date", conn, err, "10.2.0.2")
}

// A time-out tells what has changed since the packets were sent.
func TestTimeoutTellsWhatHasChanged(t *testing.T) {
	u := swallowing(t)
	d := fixed(domain2(u.host.index("up2")))
	d.NetNS = u.host.path()
	ctx, expire := context.WithCancel(context.Background())
	defer expire()
	deadline := &expiring{Context: ctx}
	x := u.dialling(d, deadline, silent4)
	u.host.must(u.host.h.AddrDel(u.host.link("up2"), &netlink.Addr{IPNet: ipNet(prefix("10.2.0.2/24"))}))
	expire()
	x.wait(t)
	checkError(t, "address deleted", x.conn, x.err, context.DeadlineExceeded)
	if !strings.Contains(x.err.Error(), "by now: ") || errors.Is(x.err, ErrNoSource) {
		t.Errorf("nothing said of the address: %v", x.err)
	}
}

// expiring is a context whose end is a deadline's, whenever the test wants it.
type expiring struct{ context.Context }

func (e *expiring) Err() error {
	if e.Context.Err() != nil {
		return context.DeadlineExceeded
	}
	return nil
}

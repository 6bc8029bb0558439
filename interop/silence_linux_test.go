package interop

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-mif/mif/miftest"
)

// A router that is killed says no goodbye: it goes from the data when its lifetime ends,
// though the kernel keeps its route for up to half a minute more. Until then, and as long
// as it advertises, it stays, though the kernel does not tell that a lifetime is renewed.
func TestSilence(t *testing.T) {
	t.Parallel()
	const lifetime = 3 * time.Second
	a := advertised{prefixes: []prefix{{prefix1, 1800, 3600}}, lifetime: 3}
	l := newLab(t, 1)
	w := l.watch()
	c, err := l.router.Capture()
	l.must(err)
	radvd := l.radvd(a)
	so := facts{}
	so.addAddress("eth0", "ipv6", l.slaac(prefix1), false)
	w.settle("start", so, l.byRA([]string{prefix1}, nil))

	w.heard = func(line line) {
		if gone(line) {
			t.Errorf("the router went while it advertised: %v", line)
		}
	}
	last := l.advertisements(c, 10) // which takes longer than the lifetime
	w.drain()
	w.heard = nil
	radvd.end(syscall.SIGKILL)
	last = latest(c, last)
	l.must(c.Stop())

	told := w.until("router gone", gone).Time.Sub(last.Add(lifetime))
	if told < -time.Second/2 || told > 5*time.Second {
		t.Errorf("the router went %v after its lifetime, in the last of\n%s", told, strings.Join(w.last, "\n"))
	}
	w.settle("silence", so, l.routerless())
	if n := w.model.died["eth0/ipv6"]; n > 0 {
		t.Error("the domain went with its router")
	}
	l.radvd(a)
	w.settle("return", so, l.byRA([]string{prefix1}, nil))
}

// gone tells whether a line says that there is no router.
func gone(l line) bool { return l.Item == "Routers" && l.Message == "NoConfigurationData" }

// latest is when the last router advertisement was sent.
func latest(c *miftest.Capture, since time.Time) time.Time {
	for _, p := range c.Packets() {
		if p.FromRouter && p.ICMPType == routerAdvertisement && p.Time.After(since) {
			since = p.Time
		}
	}
	return since
}

// routerless is what stays of what radvd advertised when the router's lifetime is over.
func (l *lab) routerless() facts {
	f := l.byRA([]string{prefix1}, nil)
	for s := range f {
		if strings.Contains(s, " RA Routers ") || strings.Contains(s, `"::/0"`) {
			delete(f, s)
		}
	}
	return f
}

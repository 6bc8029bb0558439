package interop

import "testing"

// A lease that is given back takes its domain with it; the next one brings another.
func TestRelease(t *testing.T) {
	t.Parallel()
	l := newLab(t, 1)
	w := l.watch()
	l.dnsmasq()
	client := l.dhclient()
	so := facts{}
	so.addAddress("eth0", "ipv4", leased+"/24", false)
	w.settle("lease", so, byDHCP())

	l.dhclient("-r").wait()
	client.wait()
	w.settle("release", facts{}, facts{})
	if n := w.model.died["eth0/ipv4"]; n != 1 {
		t.Errorf("eth0/ipv4 went %d times", n)
	}
	l.dhclient()
	w.settle("another lease", so, byDHCP())
}

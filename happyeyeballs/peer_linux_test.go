package happyeyeballs

import (
	"net/netip"
	"strings"
)

// contestants are the peers in the order of the table's columns.
var contestants = []string{"net.Dialer", "Outline SDK"}

// peers tells what others make of a name, each in a process of its own in the host:
// their look-ups and attempts are made by goroutines that only there are inside.
func (u *uplink) peers(address string) (all []string) {
	u.rig.t.Helper()
	if *withPeers == "" {
		return nil
	}
	for _, p := range contestants {
		out, err := u.rig.net.Host().Command(*withPeers, p, u.dns6.Addr().String(), address).Output()
		if err != nil {
			u.rig.t.Errorf("%s: %v", p, err)
		}
		all = append(all, string(out))
	}
	return all
}

// report prints a row of the table in docs/happyeyeballs.md.
func (r *rig) report(id, what, must string, o outcome, peers ...string) {
	r.t.Helper()
	if *withPeers == "" {
		return
	}
	family := ""
	switch {
	case o.err != nil:
		family = " fails"
	case strings.Contains(o.remote, ":"):
		family = " IPv6"
	case o.remote != "":
		family = " IPv4"
	}
	r.t.Logf("| %s | %s | %s | %.1f%s | %s", id, what, must, o.took.Seconds()*1000, family, strings.Join(peers, " | "))
}

// refuse gives the router addresses that nobody listens at.
func (u *uplink) refuse(addrs ...string) {
	u.rig.t.Helper()
	for _, a := range addrs {
		l, err := u.Listen(netip.AddrPortFrom(netip.MustParseAddr(a), 80))
		if err != nil {
			u.rig.t.Fatal(err)
		}
		l.Close()
	}
}

// domainOf is the implicit domain of an address's family.
func domainOf(ifname, a string) string {
	if netip.MustParseAddr(a).Is4() {
		return ifname + "/ipv4"
	}
	return ifname + "/ipv6"
}

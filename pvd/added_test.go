package pvd

import (
	"net/netip"
	"testing"
)

// vpn is a tunnel with addresses of both families that a program made.
func vpn() *Facts {
	f := ethernet(7, "tun0")
	f.Addresses = []AddressFact{address("10.8.0.2/24", forever), address("2001:db8:8::2/64", forever), address("fe80::7/64", forever), address("10.9.0.2/24", forever)}
	f.Added = []Added{{1, Static{
		Name:       "corp.example.com",
		Addresses:  []netip.Addr{ip("10.8.0.2"), ip("2001:db8:8::2")},
		DNSServers: []netip.AddrPort{netip.MustParseAddrPort("10.8.0.1:53"), netip.MustParseAddrPort("[fe80::1]:53")}, SearchDomains: []string{"corp.example.com"},
		Routers: []netip.Addr{ip("10.8.0.1")}, Routes: []Route{{Destination: netip.MustParsePrefix("10.0.0.0/8"), Gateway: ip("10.8.0.1")}},
		Expiry: after(600),
	}}}
	return f
}

const (
	own  = "tun0/program/corp.example.com both Program 10.8.0.2 2001:db8:8::2 fe80::7"
	rest = "tun0/ipv4 ipv4 Static 10.9.0.2"
)

// TestAdded: a domain of the program's own has what the program says, and what is left
// is as it was.
func TestAdded(t *testing.T) {
	h := newHost(t)
	h.learn(vpn())
	expect(t, "domains", h.domains(), []string{rest, own})
	const name = "tun0/program/corp.example.com"
	if d := h.domain(name); d.FQDN() != "corp.example.com" {
		t.Errorf("FQDN %q", d.FQDN())
	}
	expect(t, "servers", h.data(name, ElementProgram, ItemDNSServers), []string{"Program program 600 10.8.0.1:53", "Program program 600 [fe80::1%7]:53"})
	expect(t, "names", h.data(name, ElementProgram, ItemSearchDomains), []string{"Program program 600 corp.example.com"})
	expect(t, "routers", h.data(name, ElementProgram, ItemRouters), []string{"Program program 600 10.8.0.1 0"})
	expect(t, "routes", h.data(name, ElementProgram, ItemRoutes), []string{"Program program 600 10.0.0.0/8"})
	expect(t, "the other's", h.data("tun0/ipv4", ElementAny, ItemDNSServers), nil)
}

// TestAddedEnds on time, with its link, and when it is withdrawn.
func TestAddedEnds(t *testing.T) {
	all := []string{"tun0/ipv4 ipv4 Static 10.8.0.2 10.9.0.2", "tun0/ipv6 ipv6 Static 2001:db8:8::2 fe80::7"}
	h := newHost(t)
	h.learn(vpn())
	h.wait(after(599))
	expect(t, "before", h.domains(), []string{rest, own})
	h.wait(after(600))
	expect(t, "expired", h.domains(), all)
	h = newHost(t)
	f := vpn()
	h.learn(f)
	h.learn(with(f, func(f *Facts) { f.Added = nil }))
	expect(t, "withdrawn", h.domains(), all)
	h.learn(f)
	h.learn(with(f, func(f *Facts) { f.Interface.Carrier = false }))
	expect(t, "unplugged", h.domains(), []string{})
}

// TestAddedAnew: what was withdrawn and added again is another domain, also if nobody
// looked in between. What is updated is the same.
func TestAddedAnew(t *testing.T) {
	h := newHost(t)
	f := vpn()
	h.learn(f)
	was := h.domain("tun0/program/corp.example.com").ID()
	update := func(serial uint64) *Facts {
		return with(f, func(f *Facts) { f.Added = []Added{{serial, f.Added[0].Static}}; f.Added[0].Static.SearchDomains = nil })
	}
	h.learn(update(1))
	if h.s.Domain(was) == nil {
		t.Error("an update made another domain")
	}
	h.learn(update(2))
	if h.s.Domain(was) != nil || h.domain("tun0/program/corp.example.com") == nil {
		t.Errorf("%q", h.domains())
	}
}

// TestAddedIsNobodyElses: a router that names its domain the same adds nothing to it.
func TestAddedIsNobodyElses(t *testing.T) {
	h := newHost(t)
	f := vpn()
	f.RAs = []RA{advertisement("fe80::9", after(3600), "2001:db8:8::/64").rdnss("2001:db8:bad::53", after(3600)).option(Option{FQDN: "corp.example.com", Legacy: true})}
	f.Known = []Configuration{{DNSServers: dns("10.66.0.1", ElementStatic, "file", forever)}}
	f.Addresses = f.Addresses[:3]
	h.learn(f)
	expect(t, "domains", h.domains(), []string{own})
	expect(t, "servers", h.data("tun0/program/corp.example.com", ElementAny, ItemDNSServers), []string{"Program program 600 10.8.0.1:53", "Program program 600 [fe80::1%7]:53"})
}

package interop

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"slices"
	"syscall"
	"testing"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/pvd"
	"github.com/go-mif/mif/resolver"
)

// Names are translated inside each domain by dnsmasq at the address that this domain was
// given, and targets reached from this domain's own address; dnsmasq itself says from
// where it was asked.
func TestInside(t *testing.T) {
	t.Parallel()
	l := newLab(t, 1)
	l.routerIP("address", "add", "2001:db8:1::1/64", "dev", "lan", "nodad") // radvd adds no routes
	in := l.inside()
	dns := l.dnsmasq()
	l.radvd(advertised{prefixes: []prefix{{prefix1, 1800, 3600}}, lifetime: 1800})
	l.dhclient()
	for _, target := range []string{target4, target6} {
		_, err := l.router.ServeLine(netip.AddrPortFrom(netip.MustParseAddr(target), 80), target, 0)
		l.must(err)
	}
	own6 := netip.MustParsePrefix(l.slaac(prefix1)).Addr()
	for _, c := range []struct {
		pvd, server, source, target, other string
	}{
		{"eth0/ipv4", gateway, leased, target4, target6},
		{"eth0/ipv6", dns6, own6.String(), target6, target4},
	} {
		id := in.await(c.pvd)
		in.names(id, netip.MustParseAddr(c.server))
		dns.await("query[A] www.example.com from " + c.source)
		dns.await("query[AAAA] www.example.com from " + c.source)
		in.reach(id, c.target, c.source)
		in.fail(id, c.other)
	}
	in.search()
}

// An inside is a subscriber in the lab's host.
type inside struct {
	t       *testing.T
	ctx     context.Context
	session *mif.Session
	domains map[string]mif.PvDID
	served  map[mif.PvDID]bool // with a DNS server
	number  uint64
}

func (l *lab) inside() *inside {
	l.t.Helper()
	h, err := mif.Open(&mif.Config{NetNS: l.host.NetNS(), Root: l.host.Root()})
	l.must(err)
	l.t.Cleanup(func() { h.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	l.t.Cleanup(cancel)
	in := &inside{t: l.t, ctx: ctx, session: h.NewSession(), domains: map[string]mif.PvDID{}, served: map[mif.PvDID]bool{}}
	in.post(mif.AnnounceProvisioningDomains{})
	return in
}

func (in *inside) post(r mif.Request) {
	in.t.Helper()
	if err := in.session.Post(r); err != nil {
		in.t.Fatalf("%T: %v", r, err)
	}
}

// until takes events until one is as wanted.
func (in *inside) until(wanted func(mif.Event) bool) {
	in.t.Helper()
	for e, err := range in.session.Events(in.ctx) {
		if err != nil {
			in.t.Fatal(err)
		}
		in.follow(e)
		if wanted(e) {
			return
		}
	}
}

// follow learns which domains there are and which of them have a server.
func (in *inside) follow(e mif.Event) {
	switch e := e.(type) {
	case mif.ProvisioningDomainAnnouncement:
		in.domains[e.PvD.String()] = e.PvD
		in.post(mif.AnnounceConfigurationElements{PvD: e.PvD})
	case mif.ConfigurationElementAnnouncement:
		in.post(mif.GetConfigurationData{PvD: e.PvD, Element: e.Element, Item: pvd.ItemDNSServers})
	case mif.ConfigurationData:
		in.served[e.PvD] = true
	}
}

// await waits until a domain is there and has a server.
func (in *inside) await(name string) mif.PvDID {
	in.t.Helper()
	if id, ok := in.domains[name]; ok && in.served[id] {
		return id
	}
	in.until(func(mif.Event) bool { return in.served[in.domains[name]] })
	return in.domains[name]
}

// translate returns what a name translates to inside a domain.
func (in *inside) translate(id mif.PvDID, name string) (all []mif.NameTranslation, err error) {
	in.t.Helper()
	in.number++
	in.post(mif.TranslateName{ID: mif.TranslationID(in.number), PvD: id, Name: name})
	in.until(func(e mif.Event) bool {
		switch e := e.(type) {
		case mif.NameTranslation:
			all = append(all, e)
		case mif.TranslationDone:
			err = e.Err
			return true
		}
		return false
	})
	return all, err
}

// names: a name that dnsmasq knows, by that server, and one that it will not answer.
func (in *inside) names(id mif.PvDID, server netip.Addr) {
	in.t.Helper()
	all, err := in.translate(id, "www.example.com")
	var got []string
	for _, a := range all {
		if got = append(got, a.Addr.String()); a.Server.Addr() != server || a.PvD != id {
			in.t.Errorf("%v: %v by %v, want by %v", id, a.Addr, a.Server, server)
		}
	}
	slices.Sort(got)
	if want := []string{target6, target4}; err != nil || !slices.Equal(got, want) {
		in.t.Errorf("%v: %v, %v, want %v", id, got, err, want)
	}
	if all, err := in.translate(id, "elsewhere.example.org"); !errors.Is(err, resolver.ErrRefused) || len(all) > 0 {
		in.t.Errorf("%v: a name without an upstream server: %v, %v", id, all, err)
	}
}

// search: a short name is completed with the domain's own search list.
func (in *inside) search() {
	in.t.Helper()
	if all, err := in.translate(in.domains["eth0/ipv4"], "intra"); len(all) == 0 || all[0].Addr.String() != target4 {
		in.t.Errorf("intra in eth0/ipv4: %v, %v", all, err)
	}
	if all, err := in.translate(in.domains["eth0/ipv6"], "intra"); len(all) > 0 || err == nil {
		in.t.Errorf("intra in eth0/ipv6, which has another search list: %v, %v", all, err)
	}
}

// connect connects inside a domain.
func (in *inside) connect(id mif.PvDID, target string) (is mif.Connected, err error) {
	in.t.Helper()
	in.number++
	in.post(mif.ConnectToAddress{ID: mif.ConnectionID(in.number), PvD: id, To: netip.AddrPortFrom(netip.MustParseAddr(target), 80)})
	in.until(func(e mif.Event) bool {
		switch e := e.(type) {
		case mif.Connected:
			is = e
			return true
		case mif.NotConnected:
			err = e.Err
			return true
		}
		return false
	})
	return is, err
}

// reach: a target is reached from the domain's address, and is the right one.
func (in *inside) reach(id mif.PvDID, target, source string) {
	in.t.Helper()
	c, err := in.connect(id, target)
	if err != nil {
		in.t.Errorf("%v: %v: %v", id, target, err)
		return
	}
	defer c.Conn.Close()
	if from := netip.MustParseAddrPort(c.Conn.LocalAddr().String()).Addr().String(); from != source {
		in.t.Errorf("%v: from %v, want %v", id, from, source)
	}
	said, err := io.ReadAll(c.Conn)
	if err != nil || string(said) != target+"\n" {
		in.t.Errorf("%v: %v says %q, %v", id, target, said, err)
	}
}

// fail: a target of the other family cannot be reached inside this domain.
func (in *inside) fail(id mif.PvDID, target string) {
	in.t.Helper()
	if c, err := in.connect(id, target); err == nil {
		c.Conn.Close()
		in.t.Errorf("%v: connected to %v", id, target)
	} else if errors.Is(err, syscall.ETIMEDOUT) {
		in.t.Errorf("%v: %v: %v", id, target, err)
	}
}

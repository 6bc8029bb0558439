package pvd

import (
	"cmp"
	"net/netip"
	"slices"
	"time"
)

// An ElementType is a kind of configuration element (§3.5.10): who told the
// host. The set is open: expect values that you do not know.
type ElementType uint8

// The configuration elements. ElementAny stands for all of a domain together.
const (
	ElementAny            ElementType = iota
	ElementRA                         // Router Advertisements (RFC 4861)
	ElementDHCPv6                     // DHCPv6 (RFC 8415)
	ElementDHCPv4                     // DHCPv4 (RFC 2131)
	ElementStatic                     // set by hand or by a manager on the host
	ElementLinkLocal                  // made by the host itself (RFC 3927, RFC 4862 section 5.3)
	ElementAdditionalInfo             // PvD Additional Information (RFC 8801 section 4)
	ElementHost                       // the host's own resolver configuration, of unknown origin
	ElementProgram                    // added by the program
)

// String is the name of the element as the draft writes it, such as RA or DHCPv4.
func (t ElementType) String() string {
	names := [...]string{"Any", "RA", "DHCPv6", "DHCPv4", "Static", "LinkLocal", "AdditionalInfo", "Host", "Program"}
	if int(t) < len(names) {
		return names[t]
	}
	return "unknown element"
}

// An Item is a configuration information identifier (§3.5.15). The set is open.
type Item uint8

// The items.
const (
	ItemDNSServers         Item = iota + 1 // DNSServers
	ItemSearchDomains                      // SearchDomains
	ItemRoutingDomains                     // RoutingDomains
	ItemRouters                            // Routers
	ItemRoutes                             // Routes
	ItemPrefixes                           // Prefixes
	ItemMTU                                // MTU
	ItemPREF64                             // PREF64
	ItemCaptivePortal                      // CaptivePortal
	ItemEncryptedResolvers                 // EncryptedResolvers
	ItemNTPServers                         // NTPServers
	ItemPvDOption                          // PvDOption
	ItemAdditionalInfo                     // AdditionalInfo
)

// Items lists every item, in the order above.
func Items() []Item {
	all := make([]Item, ItemAdditionalInfo)
	for i := range all {
		all[i] = Item(i + 1)
	}
	return all
}

// String is the name of the item, such as DNSServers.
func (i Item) String() string {
	names := [...]string{"", "DNSServers", "SearchDomains", "RoutingDomains", "Routers", "Routes", "Prefixes", "MTU",
		"PREF64", "CaptivePortal", "EncryptedResolvers", "NTPServers", "PvDOption", "AdditionalInfo"}
	if i > 0 && int(i) < len(names) {
		return names[i]
	}
	return "unknown item"
}

// A Datum is one piece of configuration information with its provenance.
type Datum[T any] struct {
	Value   T
	Element ElementType
	Source  string    // who said so: a router's address, a file, a manager
	Expiry  time.Time // when it ceases to be true; zero: never
}

// Data is what a domain knows under one Item: one of the slice types below. It is
// shared; do not write to it. Of each element the best comes first: servers and names as
// they were told, routers by preference, encrypted resolvers by priority, routes to one
// destination as the kernel would choose.
type Data interface{ Item() Item }

// The kinds of Data. A server's address carries a numeric zone if it is
// link-local. A search domain is what unqualified names are completed with; a
// routing domain is one whose names this domain's servers are meant for.
type (
	DNSServers         []Datum[netip.AddrPort]
	SearchDomains      []Datum[string]
	RoutingDomains     []Datum[string]
	Routers            []Datum[Router]
	Routes             []Datum[Route]
	Prefixes           []Datum[Prefix]
	MTU                []Datum[int] // octets
	PREF64             []Datum[netip.Prefix]
	CaptivePortal      []Datum[string] // a URI (RFC 8910)
	EncryptedResolvers []Datum[EncryptedResolver]
	NTPServers         []Datum[string] // an address or a name
	PvDOption          []Datum[Option]
	AdditionalInfo     []Datum[Information]
)

func (DNSServers) Item() Item         { return ItemDNSServers }
func (SearchDomains) Item() Item      { return ItemSearchDomains }
func (RoutingDomains) Item() Item     { return ItemRoutingDomains }
func (Routers) Item() Item            { return ItemRouters }
func (Routes) Item() Item             { return ItemRoutes }
func (Prefixes) Item() Item           { return ItemPrefixes }
func (MTU) Item() Item                { return ItemMTU }
func (PREF64) Item() Item             { return ItemPREF64 }
func (CaptivePortal) Item() Item      { return ItemCaptivePortal }
func (EncryptedResolvers) Item() Item { return ItemEncryptedResolvers }
func (NTPServers) Item() Item         { return ItemNTPServers }
func (PvDOption) Item() Item          { return ItemPvDOption }
func (AdditionalInfo) Item() Item     { return ItemAdditionalInfo }

// A Router is a default router of a domain.
type Router struct {
	Addr       netip.Addr // without a zone: it is on the domain's link
	Preference int8       // 1 high, 0 medium, -1 low (RFC 4191 section 2.1)
}

// A Route is a way that the host's routing tables offer through a domain, or, with
// Table 0, one that a router advertised and the host did not install.
type Route struct {
	Destination netip.Prefix
	Source      netip.Prefix // only for packets from here; the zero Prefix: from anywhere
	Gateway     netip.Addr   // next hop, without a zone; the zero Addr: on-link
	Metric      uint32       // less is better
	Table       uint32       // the kernel's number; 254 is the main table
	Preference  int8         // 1 high, 0 medium, -1 low (RFC 4191 section 2.1)
}

// A Prefix is one that a router announced (RFC 4861 section 4.6.2).
type Prefix struct {
	Prefix     netip.Prefix
	OnLink     bool      // L flag
	Autonomous bool      // A flag
	Preferred  time.Time // end of the preferred lifetime; zero: never
}

// An EncryptedResolver is a resolver found by DNR (RFC 9463).
type EncryptedResolver struct {
	Name      string       // authentication domain name: what its certificate must be for
	Priority  uint16       // 1 to 65535, less is better
	Addresses []netip.Addr // link-local ones with a numeric zone; none: only the name was told
	ALPN      []string     // the protocols it speaks: dot, h2, h3, doq; none: not told, so none to be used
	Port      uint16       // 0: the protocol's own
	Path      string       // of DNS over HTTPS (RFC 9461 section 5), a template
}

// An Option is the header of a PvD option (RFC 8801 section 3.1).
type Option struct {
	FQDN       string
	HTTP       bool // H flag: additional information can be fetched
	Legacy     bool // L flag: DHCPv4 information belongs to the domain
	Sequence   uint16
	Delay      uint8 // 0 to 15
	RouterHead bool  // R flag
}

// A Configuration is all the configuration information of one element, one
// source or one domain. The zero Configuration has none.
type Configuration struct {
	DNSServers         DNSServers
	SearchDomains      SearchDomains
	RoutingDomains     RoutingDomains
	Routers            Routers
	Routes             Routes
	Prefixes           Prefixes
	MTU                MTU
	PREF64             PREF64
	CaptivePortal      CaptivePortal
	EncryptedResolvers EncryptedResolvers
	NTPServers         NTPServers
	PvDOption          PvDOption
	AdditionalInfo     AdditionalInfo
}

// Get returns what c has under an item; nil if nothing.
func (c *Configuration) Get(i Item) Data {
	switch i {
	case ItemDNSServers:
		return some(c.DNSServers)
	case ItemSearchDomains:
		return some(c.SearchDomains)
	case ItemRoutingDomains:
		return some(c.RoutingDomains)
	case ItemRouters:
		return some(c.Routers)
	case ItemRoutes:
		return some(c.Routes)
	case ItemPrefixes:
		return some(c.Prefixes)
	case ItemMTU:
		return some(c.MTU)
	case ItemPREF64:
		return some(c.PREF64)
	case ItemCaptivePortal:
		return some(c.CaptivePortal)
	case ItemEncryptedResolvers:
		return some(c.EncryptedResolvers)
	case ItemNTPServers:
		return some(c.NTPServers)
	case ItemPvDOption:
		return some(c.PvDOption)
	case ItemAdditionalInfo:
		return some(c.AdditionalInfo)
	}
	return nil
}

// some is d as Data, nil if it is empty.
func some[T any, D interface {
	~[]Datum[T]
	Data
}](d D) Data {
	if len(d) == 0 {
		return nil
	}
	return d
}

// empty tells whether c has nothing at all, as that of most elements.
func (c *Configuration) empty() bool {
	return len(c.DNSServers)+len(c.SearchDomains)+len(c.RoutingDomains)+len(c.Routers)+len(c.Routes)+len(c.Prefixes)+
		len(c.MTU)+len(c.PREF64)+len(c.CaptivePortal)+len(c.EncryptedResolvers)+len(c.NTPServers)+len(c.PvDOption)+
		len(c.AdditionalInfo) == 0
}

// Has tells whether any datum of c is of an element.
func (c *Configuration) Has(t ElementType) (has bool) {
	var none Configuration
	none.collect(c, func(u ElementType, _ string, _ time.Time) bool {
		has = has || u == t
		return false
	})
	return has
}

// collect adds to c those data of d that keep wants.
func (c *Configuration) collect(d *Configuration, keep func(ElementType, string, time.Time) bool) {
	if d.empty() {
		return
	}
	collect(&c.DNSServers, d.DNSServers, keep)
	collect(&c.SearchDomains, d.SearchDomains, keep)
	collect(&c.RoutingDomains, d.RoutingDomains, keep)
	collect(&c.Routers, d.Routers, keep)
	collect(&c.Routes, d.Routes, keep)
	collect(&c.Prefixes, d.Prefixes, keep)
	collect(&c.MTU, d.MTU, keep)
	collect(&c.PREF64, d.PREF64, keep)
	collect(&c.CaptivePortal, d.CaptivePortal, keep)
	collect(&c.EncryptedResolvers, d.EncryptedResolvers, keep)
	collect(&c.NTPServers, d.NTPServers, keep)
	collect(&c.PvDOption, d.PvDOption, keep)
	collect(&c.AdditionalInfo, d.AdditionalInfo, keep)
}

// collect is inlined for the sake of items of which there is nothing: most.
func collect[T any, D ~[]Datum[T]](to *D, from D, keep func(ElementType, string, time.Time) bool) {
	if len(from) > 0 {
		collectSome(to, from, keep)
	}
}

func collectSome[T any, D ~[]Datum[T]](to *D, from D, keep func(ElementType, string, time.Time) bool) {
	for i, d := range from {
		if !keep(d.Element, d.Source, d.Expiry) {
			continue
		}
		if len(*to) == cap(*to) {
			*to = slices.Grow(*to, len(from)-i)
		}
		*to = append(*to, d)
	}
}

// same tells whether c and d say the same in the same order.
func (c *Configuration) same(d *Configuration) bool {
	return slices.Equal(c.DNSServers, d.DNSServers) && slices.Equal(c.SearchDomains, d.SearchDomains) &&
		slices.Equal(c.RoutingDomains, d.RoutingDomains) && slices.Equal(c.Routers, d.Routers) &&
		slices.Equal(c.Routes, d.Routes) && slices.Equal(c.Prefixes, d.Prefixes) && slices.Equal(c.MTU, d.MTU) &&
		slices.Equal(c.PREF64, d.PREF64) && slices.Equal(c.CaptivePortal, d.CaptivePortal) &&
		slices.EqualFunc(c.EncryptedResolvers, d.EncryptedResolvers, sameDatum(sameResolver)) &&
		slices.Equal(c.NTPServers, d.NTPServers) && slices.Equal(c.PvDOption, d.PvDOption) &&
		slices.EqualFunc(c.AdditionalInfo, d.AdditionalInfo, sameDatum(sameInformation))
}

// sameDatum compares data whose values are not comparable.
func sameDatum[T any](same func(a, b *T) bool) func(a, b Datum[T]) bool {
	return func(a, b Datum[T]) bool {
		return a.Element == b.Element && a.Source == b.Source && a.Expiry == b.Expiry && same(&a.Value, &b.Value)
	}
}

// settle makes the instants of c those of old where they differ by no more than
// the tolerance, and tells whether c and old are then the same.
func (c *Configuration) settle(old *Configuration, g *gathering) bool {
	if c.empty() && old.empty() {
		return true
	}
	same := settle(c.DNSServers, old.DNSServers, g, equal)
	same = settle(c.SearchDomains, old.SearchDomains, g, equal) && same
	same = settle(c.RoutingDomains, old.RoutingDomains, g, equal) && same
	same = settle(c.Routers, old.Routers, g, equal) && same
	same = settle(c.Routes, old.Routes, g, equal) && same
	same = settle(c.Prefixes, old.Prefixes, g, samePrefix(g)) && same
	same = settle(c.MTU, old.MTU, g, equal) && same
	same = settle(c.PREF64, old.PREF64, g, equal) && same
	same = settle(c.CaptivePortal, old.CaptivePortal, g, equal) && same
	same = settle(c.EncryptedResolvers, old.EncryptedResolvers, g, sameResolver) && same
	same = settle(c.NTPServers, old.NTPServers, g, equal) && same
	same = settle(c.PvDOption, old.PvDOption, g, equal) && same
	return settle(c.AdditionalInfo, old.AdditionalInfo, g, sameInformation) && same
}

// settle is inlined, as collect is.
func settle[T any, D ~[]Datum[T]](now, old D, g *gathering, same func(*T, *T) bool) bool {
	return len(now) == 0 && len(old) == 0 || settleSome(now, old, g, same)
}

// settleSome looks for each where it should be after the one before, since lists seldom
// change their order.
func settleSome[T any, D ~[]Datum[T]](now, old D, g *gathering, same func(*T, *T) bool) bool {
	all, next := len(now) == len(old), 0
	for i := range now {
		n := &now[i]
		o := find(old, next, func(o *Datum[T]) bool {
			return o.Element == n.Element && o.Source == n.Source && same(&n.Value, &o.Value)
		})
		all = all && o == i
		if o < 0 {
			continue
		}
		next = o + 1
		t, ok := g.settle(n.Expiry, old[o].Expiry)
		n.Expiry = t
		all = all && ok
	}
	return all
}

// find is the index of the element that is wanted, -1 if none. It is looked for from i
// on, and then before.
func find[T any](in []Datum[T], i int, is func(*Datum[T]) bool) int {
	for k := i; k < len(in); k++ {
		if is(&in[k]) {
			return k
		}
	}
	for k := range in[:min(i, len(in))] {
		if is(&in[k]) {
			return k
		}
	}
	return -1
}

func equal[T comparable](a, b *T) bool { return *a == *b }

// samePrefix also settles the preferred lifetime.
func samePrefix(g *gathering) func(a, b *Prefix) bool {
	return func(n, o *Prefix) bool {
		t, ok := g.settle(n.Preferred, o.Preferred)
		if !ok || n.Prefix != o.Prefix || n.OnLink != o.OnLink || n.Autonomous != o.Autonomous {
			return false
		}
		n.Preferred = t
		return true
	}
}

func sameResolver(a, b *EncryptedResolver) bool {
	return a.Name == b.Name && a.Priority == b.Priority && a.Port == b.Port && a.Path == b.Path &&
		slices.Equal(a.Addresses, b.Addresses) && slices.Equal(a.ALPN, b.ALPN)
}

// rank puts the best first: routers of the higher preference (RFC 4191 section 2.1), and
// encrypted resolvers in the order in which they are to be used (RFC 9463 section 6.2).
func (c *Configuration) rank() {
	slices.SortStableFunc(c.Routers, func(a, b Datum[Router]) int { return cmp.Compare(b.Value.Preference, a.Value.Preference) })
	slices.SortStableFunc(c.EncryptedResolvers, func(a, b Datum[EncryptedResolver]) int {
		return cmp.Compare(a.Value.Priority, b.Value.Priority)
	})
}

func sameInformation(a, b *Information) bool { return a.Identifier == b.Identifier && a.JSON == b.JSON }

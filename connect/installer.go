package connect

import (
	"net/netip"
	"slices"
)

// What an [Installer] adds to the host can be told by these numbers from what is the
// host's own. Nothing else is ever changed or removed.
const (
	// InstallerProtocol is the protocol number of all its routes and rules, as in
	// "ip route show table all proto 77".
	InstallerProtocol = 77
	// InstallerTable is the first of its routing tables; there are 16,384.
	InstallerTable = 0x4d490000
	// InstallerPriority is the first priority of its rules; there are 256. They come
	// after the local table's and before the main one's.
	InstallerPriority = 20000

	slots         = 64 // processes at once
	tablesPerSlot = 256
	mainTable     = 254
	familyIPv4    = 2 // AF_INET and AF_INET6 of Linux
	familyIPv6    = 10
)

// The rules of a slot, in their order.
const (
	priorityDomain = iota
	priorityOnLink
	priorityMain
	priorityReverse
	ruleKinds
)

// A sourceRule is a rule of ours: packets from an address, perhaps only by an
// interface or to a prefix, look into a table.
type sourceRule struct {
	family   uint8
	priority uint32
	from     netip.Addr
	to       netip.Prefix // zero: anywhere
	oif      string       // empty: by any interface
	table    uint32
	suppress bool // the table's default routes do not count
}

// A tableRoute is a route, of ours or of the host's main table.
type tableRoute struct {
	family uint8
	table  uint32
	dst    netip.Prefix
	via    netip.Addr // zero: on the link
	iface  int
	metric uint32
}

// A tableKey is what one table is for.
type tableKey struct {
	name   string
	iface  int
	family uint8
}

// A link is what a plan has to know of an interface.
type link struct {
	name   string
	strict bool         // IPv4: the reverse path filter
	routes []tableRoute // of the main table by it
}

// A plan is what ought to be installed.
type plan struct {
	priority uint32 // of the first rule
	links    map[int]link
	owners   map[netip.Addr]int  // an address's interface; 0: it has several
	taken    map[sourceRule]bool // domain rules, without their tables
	rules    map[sourceRule]bool
	routes   map[tableRoute]bool
}

func newPlan(slot int, links map[int]link, domains []Domain) *plan {
	p := &plan{
		priority: InstallerPriority + uint32(slot*ruleKinds),
		links:    links, owners: map[netip.Addr]int{}, taken: map[sourceRule]bool{},
		rules: map[sourceRule]bool{}, routes: map[tableRoute]bool{},
	}
	for _, d := range domains {
		for _, a := range d.Addresses {
			addr := a.Prefix.Addr()
			if other, ok := p.owners[addr]; ok && other != d.Interface {
				p.owners[addr] = 0
			} else {
				p.owners[addr] = d.Interface
			}
		}
	}
	return p
}

// add plans a table for one family of a domain.
func (p *plan) add(d Domain, family uint8, table uint32) {
	l, ok := p.links[d.Interface]
	if !ok {
		return
	}
	routers := familyRouters(d, family)
	for _, r := range l.routes {
		if r.family == family && r.dst.Bits() > 0 && (!r.via.IsValid() || slices.Contains(routers, r.via)) {
			r.table = table
			p.routes[r] = true
		}
	}
	for i, via := range routers {
		p.routes[tableRoute{family: family, table: table, dst: everywhere(family), via: via, iface: d.Interface, metric: 1 + uint32(i)}] = true
	}
	for _, a := range familyAddresses(d, family) {
		p.addRules(a, family, table, d.Interface, l)
	}
}

// addRules plans the rules of one address. The first catches what is sent by a
// socket that is bound to the interface, and no other traffic of the host. The reverse
// path filter asks without an interface. So where it is strict, the address's own
// network, and after all other networks the host knows, the world, are tied to the
// domain too. That cannot be done for an address that is on several links.
func (p *plan) addRules(a netip.Prefix, family uint8, table uint32, iface int, l link) {
	bound := sourceRule{family: family, priority: p.priority + priorityDomain, from: a.Addr(), oif: l.name}
	if p.taken[bound] {
		return // by another domain of the link
	}
	p.taken[bound] = true
	bound.table = table
	p.rules[bound] = true
	if !l.strict || family != familyIPv4 || p.owners[a.Addr()] != iface {
		return
	}
	r := sourceRule{family: family, from: a.Addr(), table: table}
	if !a.IsSingleIP() {
		r.priority, r.to = p.priority+priorityOnLink, a.Masked()
		p.rules[r] = true
	}
	r.priority, r.to = p.priority+priorityReverse, netip.Prefix{}
	p.rules[r] = true
	r.priority, r.table, r.suppress = p.priority+priorityMain, mainTable, true
	p.rules[r] = true
}

func familyOf(a netip.Addr) uint8 {
	if a.Is4() {
		return familyIPv4
	}
	return familyIPv6
}

func everywhere(family uint8) netip.Prefix {
	if family == familyIPv4 {
		return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	}
	return netip.PrefixFrom(netip.IPv6Unspecified(), 0)
}

// familyAddresses are those that routers forward for.
func familyAddresses(d Domain, family uint8) (all []netip.Prefix) {
	for _, a := range d.Addresses {
		if x := a.Prefix.Addr(); familyOf(x) == family && !x.IsLinkLocalUnicast() && !x.IsLoopback() {
			all = append(all, a.Prefix)
		}
	}
	return all
}

func familyRouters(d Domain, family uint8) (all []netip.Addr) {
	for _, r := range d.Routers {
		if r = r.WithZone("").Unmap(); familyOf(r) == family && !slices.Contains(all, r) {
			all = append(all, r)
		}
	}
	return all
}

// slot is the number of the process a rule belongs to; -1 if it is not ours.
func (s sourceRule) slot() int {
	n := int64(s.priority) - InstallerPriority
	if n < 0 || n >= slots*ruleKinds {
		return -1
	}
	return int(n / ruleKinds)
}

func (t tableRoute) slot() int {
	n := int64(t.table) - InstallerTable
	if n < 0 || n >= slots*tablesPerSlot {
		return -1
	}
	return int(n / tablesPerSlot)
}

package hostconf

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"

	"github.com/godbus/dbus/v5"

	"github.com/go-mif/mif/pvd"
)

const (
	resolvedName   = "org.freedesktop.resolve1"
	resolvedSource = "systemd-resolved"
	resolvedFile   = "/run/systemd/resolve/resolv.conf"
)

// resolved is what is said to and by systemd-resolved on the bus.
type resolved struct{}

func (resolved) name() string         { return resolvedName }
func (resolved) rules() []string      { return []string{properties(resolvedName, resolvedName+".Manager")} }
func (resolved) signal(*dbus.Message) {}

func (resolved) ask(b *bus) ([]said, error) {
	body, err := b.call(resolvedName, "/org/freedesktop/resolve1", "org.freedesktop.DBus.Properties", "GetAll", resolvedName+".Manager")
	if err != nil || len(body) == 0 {
		return nil, err
	}
	properties, _ := body[0].(map[string]dbus.Variant)
	return resolvedSaid(properties), nil
}

// resolvedSaid is what the properties say of each link, and of the host under 0.
func resolvedSaid(properties map[string]dbus.Variant) []said {
	links := map[int]*said{}
	of := func(index int32) *said {
		s := links[int(index)]
		if s == nil {
			s = &said{index: int(index), rank: rankResolved, origin: origin{element: pvd.ElementHost, source: resolvedSource}}
			links[int(index)] = s
		}
		return s
	}
	for _, v := range resolvedServers(properties) {
		if index, a, ok := resolvedServer(v); ok {
			of(index).servers = put(of(index).servers, a, true)
		}
	}
	domains, _ := properties["Domains"].Value().([][]any)
	for _, v := range domains {
		if index, name, routing, ok := resolvedDomain(v); ok && routing {
			of(index).routing = put(of(index).routing, name, true)
		} else if ok {
			of(index).search = put(of(index).search, name, true)
		}
	}
	return inOrder(links)
}

func inOrder(links map[int]*said) []said {
	var all []said
	for _, index := range slices.SortedFunc(maps.Keys(links), cmp.Compare[int]) {
		if s := links[index]; !s.empty() && len(all) < maxAsked {
			all = append(all, *s)
		}
	}
	return all
}

// resolvedServers has the servers with their ports, if there are any.
func resolvedServers(properties map[string]dbus.Variant) [][]any {
	if all, _ := properties["DNSEx"].Value().([][]any); len(all) > 0 {
		return all
	}
	all, _ := properties["DNS"].Value().([][]any)
	return all
}

// resolvedServer reads a link's index, a family, an address and perhaps a port.
func resolvedServer(v []any) (index int32, a netip.AddrPort, ok bool) {
	if len(v) < 3 {
		return 0, a, false
	}
	index, ok = v[0].(int32)
	b, _ := v[2].([]byte)
	addr, good := netip.AddrFromSlice(b)
	if !ok || !good || index < 0 {
		return 0, a, false
	}
	a, ok = server(addr.String())
	if len(v) > 3 {
		if port, _ := v[3].(uint16); port != 0 {
			a = netip.AddrPortFrom(a.Addr(), port)
		}
	}
	return index, a, ok
}

// resolvedDomain reads a link's index, a name, and whether it is for routing only.
func resolvedDomain(v []any) (index int32, name string, routing, ok bool) {
	if len(v) != 3 {
		return 0, "", false, false
	}
	index, isIndex := v[0].(int32)
	name, _ = v[1].(string)
	routing, _ = v[2].(bool)
	if routing {
		name, ok = routingDomain(name)
	} else {
		name, ok = domain(name)
	}
	return index, name, routing, ok && isIndex && index >= 0
}

// resolvedHint notices that systemd-resolved has written its own resolv.conf, as
// it does at any change.
type resolvedHint struct{ text string }

func (h *resolvedHint) read(r *reading) bool {
	f, err := r.tree.read(resolvedFile, closed, false)
	old := h.text
	h.text = f.text
	return err == nil && old != "" && old != f.text
}

package miftest

import (
	"fmt"

	"github.com/vishvananda/netlink"
)

func (n *namespace) setRoute(r Route) error {
	return n.route("adding", r, (*netlink.Handle).RouteReplace)
}

func (n *namespace) delRoute(r Route) error {
	return n.route("removing", r, (*netlink.Handle).RouteDel)
}

func (n *namespace) route(op string, r Route, f func(*netlink.Handle, *netlink.Route) error) error {
	k := &netlink.Route{
		Dst: ipNet(r.Destination), Gw: r.Gateway.AsSlice(), Src: r.Source.AsSlice(), Priority: r.Metric,
		Table: r.Table, Protocol: netlink.RouteProtocol(r.Protocol), Type: r.Type,
	}
	if r.Interface != "" {
		index, err := n.index(r.Interface)
		if err != nil {
			return err
		}
		k.LinkIndex = index
	}
	if r.Destination.Addr().Is4() && !r.Gateway.IsValid() && r.Type == 0 {
		k.Scope = netlink.SCOPE_LINK
	}
	op = fmt.Sprintf("%s route to %v", op, r.Destination)
	return n.use(op, func(rt *netlink.Handle) error { return f(rt, k) })
}

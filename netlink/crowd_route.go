package netlink

// maxSoft is how many routes that routers' advertisements made the kernel install are
// kept of a link. The kernel has no such limit: whoever is on the link can make it
// install any number.
const maxSoft = 256

// soft tells whether a router's advertisement made the route, as far as can be told:
// a way by the router, or a prefix that is on the link for some time.
func (m *routeMessage) soft() bool {
	return m.key.inet == afINET6 && m.object == 0 && (m.proto == protocolRA || m.proto == protocolKernel && m.expires > 0)
}

// crowded tells whether a link has as many soft routes as are kept.
func (t *tables) crowded(index int32) bool {
	l := t.links[index]
	if l == nil || l.soft < maxSoft {
		return false
	}
	l.missed = true
	if !l.crowded {
		l.crowded = true
		t.log.Warn("more routes by router advertisements on a link than are kept", "interface", l.name, "kept", maxSoft)
	}
	return true
}

// eased follows the end of a soft route: there may be room for one that was not kept.
func (t *tables) eased(l *link) {
	if l.soft--; l.missed {
		l.missed = false
		t.refresh(l.index)
	}
}

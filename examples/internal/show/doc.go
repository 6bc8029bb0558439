// Package show writes the messages of the MIF API as JSON, one object a line, for
// the examples' -json. The form is a contract with the scripts that read it: fields
// may be added, none changes its meaning.
//
// Every line has seq (1, 2, 3 ...), time (RFC 3339, when the program got or posted
// the message) and message (the name of its Go type). The others are there if they
// apply:
//
//	interface  the kernel's index of the interface
//	name       its name; in messages about a translation, the name to translate
//	pvd, fqdn, family
//	           the domain in its String form; its name, if it is an explicit one;
//	           ipv4, ipv6 or both
//	element, item
//	           RA, DHCPv4 ...; DNSServers, Routers ...
//	address    with its prefix length; that of a translation without
//	preferred, valid, expires
//	           whole seconds left, or "forever"
//	flags      of an interface: up, broadcast ...; of an address: tentative,
//	           duplicate, deprecated, temporary, link-local
//	kind, mtu, hardware, up, carrier
//	           of an interface
//	data       a list of objects with value, element, source, expires
//	id, from, to, local, remote, took
//	           of translations and connections; took is in seconds
//	canonical, server, origin
//	           of a translation
//	scheme, port
//	           of a service to translate
//	service    an object: priority, target, port, alpn, nodefaultalpn, ipv4hint,
//	           ipv6hint, and ech in base64
//	request    the message that Synced or Rejected is about
//	err        what went wrong
//
// A Lines may be used by one goroutine at a time.
package show

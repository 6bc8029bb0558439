// Package happyeyeballs makes a TCP connection to a name by the domain, address
// family and address that answer first. It is RFC 8305 carried from one network to
// several provisioning domains, with the rules for them of
// draft-ietf-happy-happyeyeballs-v3 and the hard and soft preconditions of "Happy
// Eyeballs for MIF", and it is built on Post, Check and Get of package mif alone.
//
//	d := &happyeyeballs.Dialer{Host: host}
//	conn, err := d.DialContext(ctx, "tcp", "www.example.com:443")
//
// # How a connection is made
//
//  1. Hard rules (Require, Exclude) filter the domains, soft rules (Prefer) sort
//     them. Domains of equal rank on one interface race as one uplink: so a host
//     with one plain uplink gets plain RFC 8305, although its two implicit
//     domains, IPv4 and IPv6, are two.
//  2. The name is asked in every domain at once: how it is served if a service is
//     dialled (Dialer.Service), AAAA where the domain has an IPv6 address, A where it
//     has an IPv4 address or a NAT64 prefix (version 3, section 4.1). An address is
//     dialled only in the domain that gave it, a hint too.
//  3. An uplink begins when services and the preferred family have been answered, or the
//     Resolution Delay after its first address (version 3, section 4.2). A worse uplink
//     joins after the head start DomainDelay, or when the better ones have nothing
//     left to try. Uplinks then take turns.
//  4. Inside an uplink services go by their priority. The addresses of one are ordered by RFC 6724, section 6, with the
//     domain's own source addresses, then by what earlier races learnt of them in that
//     domain, and families alternate (section 4). What arrives late is sorted in.
//  5. Attempts start one Connection Attempt Delay apart, and at once when one
//     fails, but never within 10 ms of another (section 5). The first that is
//     connected, and valid if Validate is set, wins; the others are cancelled.
//
// A domain that appears joins the race. One that goes takes its attempts with it.
//
// # Services
//
// HTTPS and SVCB records (RFC 9460) name hosts and ports, in an order, with addresses
// that are used until those of the hosts are known. Records for other protocols than
// the program speaks (tls.Config.NextProtos) are passed over. Keys to encrypt the hello
// (ECH) are used by DialTLS unless the program has set its own, and a server that
// knows other keys is tried again with those (RFC 9849, section 6.1.6). When the services
// have failed the name itself is tried, unless all of them have keys (RFC 9848,
// section 5.1).
//
// # NAT64
//
// In a domain with a NAT64 prefix and no IPv4 address, IPv4 addresses from the DNS and
// IPv4 literals are reached by synthesis (RFC 6052). The prefix is
// the router's (RFC 8781); if it gives none, and the interface has no IPv4, it is
// asked for (RFC 7050) for a literal, and for a name whose IPv6 addresses have all
// been in vain: 2 s after the last attempt, or when all have failed (RFC 8305,
// section 7.2).
//
// # Concurrency
//
// A Dialer may be used by any number of goroutines at once as long as its fields
// are left alone; it must not be copied once used. DialContext runs the race in
// the caller's goroutine, and calls the hooks of a Trace there. Validate is called
// in goroutines of its own, one for each connection that wants judging. When DialContext
// returns, nothing of the race is left: no goroutine, no descriptor but the
// connection's.
//
// # Limits
//
// TCP only: records for QUIC alone are passed over. A handshake does not wait for
// records later than the Resolution Delay, also where the DNS is encrypted (version
// 3, section 6.3): what a network can withhold without being seen, it can withhold here
// too. At most 16 records of a service are taken, and 8 of their hosts asked for. A
// relative name is looked up by the search list, its services are not. Look-ups still under way end with the race; RFC
// 8305, section 5, would let them go on for a second for the sake of a cache. At most 64
// addresses of a family are taken from one domain in one race. A family is taken for
// usable if the domain has an address of it; that there is no route shows when an attempt
// fails, which it does at once. Names of the host itself (localhost, 127.0.0.1) are in no
// domain. By default IPv4 and IPv6 of an interface are two domains, so a
// name server learnt by DHCPv4 is not asked for AAAA records: mif.Config.MergeFamilies
// makes them one. The connection outlives the Session that made it, and is not
// watched: a program that wants PathLost uses a Session of its own.
package happyeyeballs

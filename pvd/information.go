package pvd

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Information is a domain's Additional Information (RFC 8801 section 4.3): what its
// operator says of it, authenticated by its name. It is data. Nothing in it is used by
// itself.
type Information struct {
	Identifier     string          // the domain's FQDN, without a dot at the end
	Expires        time.Time       // by the server's clock; not for decisions about security (section 6)
	Prefixes       []netip.Prefix  // IPv6, all that are announced lie in them
	DNSZones       []string        // that can be asked for in the domain, without dots at the end
	NoInternet     bool            // the domain is restricted
	SplitDNSClaims []SplitDNSClaim // RFC 9704; not verified
	Proxies        []Proxy         // must not be used without consent of the user
	JSON           string          // the whole object, with all keys that are not above
}

// A SplitDNSClaim says which names a domain's resolver answers for in its own way (RFC
// 9704 section 5). It is true only if the parent zone confirms it, which nobody has
// asked yet.
type SplitDNSClaim struct {
	Resolver   string   // authentication domain name of the resolver
	Parent     string   // zone
	Subdomains []string // of Parent
	Algorithm  string   // such as SHA384
	Salt       string   // base64url
}

// A Proxy is one that a domain offers (draft-ietf-intarea-proxy-config). Rules about
// where it may be used are under proxy-match in the whole object.
type Proxy struct {
	Protocol   string // such as socks5, http-connect, connect-udp
	Location   string // host:port or a URI template, as the protocol has it
	Identifier string // by which rules refer to it; empty: none
	ALPN       []string
}

// Covers tells whether an announced prefix lies in one of Prefixes (RFC 8801 section
// 4.4).
func (i *Information) Covers(p netip.Prefix) bool {
	return slices.ContainsFunc(i.Prefixes, func(q netip.Prefix) bool { return q.Bits() <= p.Bits() && q.Contains(p.Addr()) })
}

// Fetched is Additional Information with what it was fetched for. It belongs to that
// domain as long as the last advertisement of it has the H flag and that sequence number,
// and no announced prefix that is not covered (RFC 8801 section 4.1).
type Fetched struct {
	PvD         ID
	Sequence    uint16
	Source      string // the URL
	Information Information
}

// Option is the PvD option in the last advertisement of an explicit domain (RFC 8801
// section 4.1); false if there is none, or s is bare.
func (s *Snapshot) Option(id ID, now time.Time) (Option, bool) {
	f := s.Facts(id.Interface())
	if f == nil || s.Domain(id) == nil || id.key == "" {
		return Option{}, false
	}
	return lastOption(f.RAs, id.key, now)
}

func lastOption(ras []RA, key string, now time.Time) (last Option, ok bool) {
	var heard time.Time
	for i := range ras {
		if folded(strings.TrimSuffix(ras[i].FQDN, ".")) != key {
			continue
		}
		for _, o := range ras[i].Configuration.PvDOption {
			if !past(o.Expiry, now) && (!ok || ras[i].Heard.After(heard)) {
				last, heard, ok = o.Value, ras[i].Heard, true
			}
		}
	}
	return last, ok
}

// inform gives explicit domains the Additional Information that was fetched for them, as
// far as it still holds.
func (g *gathering) inform(named []*group, old *Link) {
	for i := range g.facts.Information {
		f := &g.facts.Information[i]
		if old.domain(f.PvD) == nil {
			continue
		}
		for _, to := range named {
			if to.key == f.PvD.key && g.holds(to, f) {
				to.inform(f)
			}
		}
	}
}

// holds tells whether information is what the routers now speak of.
func (g *gathering) holds(to *group, f *Fetched) bool {
	o, ok := lastOption(g.named, to.key, g.now)
	foreign := func(p Datum[Prefix]) bool { return !f.Information.Covers(p.Value.Prefix) }
	return ok && o.HTTP && o.Sequence == f.Sequence && !slices.ContainsFunc(to.conf.Prefixes, foreign) && g.live(0, "", f.Information.Expires)
}

// inform adds information, and its zones as domains whose names the servers are meant
// for. They are no search list: who can say what a short name means must be asked for.
func (g *group) inform(f *Fetched) {
	end := f.Information.Expires
	g.conf.AdditionalInfo = append(g.conf.AdditionalInfo, Datum[Information]{f.Information, ElementAdditionalInfo, f.Source, end})
	for _, z := range f.Information.DNSZones {
		g.conf.RoutingDomains = append(g.conf.RoutingDomains, Datum[string]{z, ElementAdditionalInfo, f.Source, end})
	}
}

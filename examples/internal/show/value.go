package show

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/go-mif/mif/pvd"
)

// The values that are objects, with how they read for people.
type (
	router struct {
		Address    string `json:"address"`
		Preference string `json:"preference"`
	}
	route struct {
		Destination string `json:"destination"`
		Source      string `json:"source,omitempty"`
		Gateway     string `json:"gateway,omitempty"`
		Metric      uint32 `json:"metric"`
		Table       uint32 `json:"table"`
	}
	prefix struct {
		Prefix     string          `json:"prefix"`
		OnLink     bool            `json:"onlink"`
		Autonomous bool            `json:"autonomous"`
		Preferred  json.RawMessage `json:"preferred"`
	}
	encrypted struct {
		Name      string       `json:"name"`
		Priority  uint16       `json:"priority"`
		Addresses []netip.Addr `json:"addresses,omitempty"`
		ALPN      []string     `json:"alpn,omitempty"`
		Port      uint16       `json:"port,omitempty"`
		Path      string       `json:"path,omitempty"`
	}
	option struct {
		FQDN     string `json:"fqdn"`
		HTTP     bool   `json:"http"`
		Legacy   bool   `json:"legacy"`
		Sequence uint16 `json:"sequence"`
		Delay    uint8  `json:"delay"`
		RA       bool   `json:"ra"`
	}
	information struct {
		Identifier string          `json:"identifier"`
		Prefixes   []netip.Prefix  `json:"prefixes,omitempty"`
		DNSZones   []string        `json:"dnsZones,omitempty"`
		NoInternet bool            `json:"noInternet"`
		JSON       json.RawMessage `json:"json,omitempty"`
	}
)

func routerOf(r pvd.Router) router {
	preference := "medium"
	switch {
	case r.Preference > 0:
		preference = "high"
	case r.Preference < 0:
		preference = "low"
	}
	return router{r.Addr.String(), preference}
}

func (r router) String() string {
	if r.Preference == "medium" {
		return r.Address
	}
	return r.Address + " (" + r.Preference + ")"
}

func routeOf(r pvd.Route) route {
	return route{r.Destination.String(), text(r.Source), text(r.Gateway), r.Metric, r.Table}
}

func (r route) String() string {
	s := r.Destination
	if r.Source != "" {
		s += " from " + r.Source
	}
	if r.Gateway != "" {
		s += " via " + r.Gateway
	}
	return s
}

func prefixOf(p pvd.Prefix, now time.Time) prefix {
	return prefix{p.Prefix.String(), p.OnLink, p.Autonomous, left(p.Preferred, now)}
}

func (p prefix) String() string { return p.Prefix }

func encryptedOf(e pvd.EncryptedResolver) encrypted {
	return encrypted{e.Name, e.Priority, e.Addresses, e.ALPN, e.Port, e.Path}
}

func (e encrypted) String() string { return words(e.Name, strings.Join(e.ALPN, ",")) }

func optionOf(o pvd.Option) option {
	return option{o.FQDN, o.HTTP, o.Legacy, o.Sequence, o.Delay, o.RouterHead}
}

func (o option) String() string { return fmt.Sprintf("%s (sequence %d)", o.FQDN, o.Sequence) }

func informationOf(i pvd.Information) information {
	out := information{i.Identifier, i.Prefixes, i.DNSZones, i.NoInternet, nil}
	if json.Valid([]byte(i.JSON)) {
		out.JSON = json.RawMessage(i.JSON)
	}
	return out
}

func (i information) String() string {
	restricted := ""
	if i.NoInternet {
		restricted = "without the Internet"
	}
	return words(i.Identifier, restricted, strings.Join(i.DNSZones, ","))
}

// text is the text of an address or prefix, empty for the zero one.
func text(v interface {
	IsValid() bool
	String() string
}) string {
	if v.IsValid() {
		return v.String()
	}
	return ""
}

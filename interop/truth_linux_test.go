package interop

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// A truth is what ip tells of the interfaces.
type truth struct {
	links []link
	at    time.Time
}

type link struct {
	Index    int    `json:"ifindex"`
	Name     string `json:"ifname"`
	Hardware string `json:"address"`
	MTU      int
	Flags    []string
	Info     []address `json:"addr_info"`
}

type address struct {
	Family     string
	Local      netip.Addr
	Length     int `json:"prefixlen"`
	Scope      string
	Deprecated bool
	Tentative  bool
	Preferred  uint32 `json:"preferred_life_time"`
	Valid      uint32 `json:"valid_life_time"`
}

func parseTruth(b []byte) (*truth, error) {
	t := &truth{at: time.Now()}
	if err := json.Unmarshal(b, &t.links); err != nil {
		return nil, fmt.Errorf("ip: %w", err)
	}
	t.links = slices.DeleteFunc(t.links, func(l link) bool { return l.Index == 0 })
	return t, nil
}

func (l link) has(flag string) bool { return slices.Contains(l.Flags, flag) }

func (a address) prefix() string { return netip.PrefixFrom(a.Local, a.Length).String() }

func (a address) family() string {
	if a.Family == "inet" {
		return "ipv4"
	}
	return "ipv6"
}

// usable tells whether the address makes a domain (rules 9 and 10).
func (a address) usable() bool { return !a.Tentative && a.Scope == "global" }

// facts are the facts that a listener should have been told: of addresses, those in a
// domain; of domains, the implicit ones.
func (t *truth) facts() facts {
	f := facts{}
	for _, l := range t.links {
		f.addInterface(l.Index, l.Name, l.Hardware, l.MTU, l.has("UP"), l.has("LOWER_UP"))
		if l.has("LOOPBACK") || !l.has("UP") || !l.has("LOWER_UP") {
			continue
		}
		for _, family := range []string{"ipv4", "ipv6"} {
			f.addDomain(l, family)
		}
	}
	return f
}

func (f facts) addDomain(l link, family string) {
	of := slices.DeleteFunc(slices.Clone(l.Info), func(a address) bool { return a.family() != family })
	if !slices.ContainsFunc(of, address.usable) {
		return
	}
	f.add("domain %s/%s %s", l.Name, family, family)
	for _, a := range of {
		f.addAddress(l.Name, family, a.prefix(), a.Deprecated)
	}
}

// lifetimes is an error if the model believes in other ends than the kernel does.
func (t *truth) lifetimes(m *model) error {
	for _, l := range t.links {
		told := m.ends(l.Index)
		for _, a := range l.Info {
			end, ok := told[a.prefix()]
			if !ok {
				continue
			}
			if err := believable(end.valid, t.end(a.Valid), t.at); err != nil {
				return fmt.Errorf("%s on %s, valid: %w", a.prefix(), l.Name, err)
			}
			if err := believable(end.preferred, t.end(a.Preferred), t.at); err != nil {
				return fmt.Errorf("%s on %s, preferred: %w", a.prefix(), l.Name, err)
			}
		}
	}
	return nil
}

// end is when a lifetime ends that ip tells in seconds.
func (t *truth) end(seconds uint32) time.Time {
	if seconds == 1<<32-1 {
		return time.Time{}
	}
	return t.at.Add(time.Duration(seconds) * time.Second)
}

// lease is for how many seconds the host may use the address it has leased.
func (t *truth) lease() uint32 {
	for _, l := range t.links {
		for _, a := range l.Info {
			if a.Local.String() == leased {
				return a.Valid
			}
		}
	}
	return 0
}

package pvd

import (
	"net/netip"
	"testing"
	"time"
)

// informed is corp with an option, and the information that was fetched for it.
func informed(o Option, sequence uint16, prefix string) (h *host, f *Facts) {
	f = with(corp(), func(f *Facts) { f.RAs[1] = f.RAs[1].option(o).heard(0) })
	h = &host{s: &Snapshot{}, m: model{}, now: start}
	h.s = Build(h.s, []*Facts{f}, nil, Options{}, start)
	h.m = modelOf(h.s)
	f = with(f, func(f *Facts) {
		f.Information = []Fetched{{h.domain("eth0/corp.example.com").ID(), sequence, "https://corp.example.com/.well-known/pvd", Information{
			Identifier: "corp.example.com", Expires: after(600), DNSZones: []string{"inside.example"},
			Prefixes: []netip.Prefix{netip.MustParsePrefix(prefix)}, JSON: "{}",
		}}}
	})
	return h, f
}

var fetchable = Option{FQDN: "corp.example.com", HTTP: true, Sequence: 7}

const (
	newInformation = "element eth0/corp.example.com AdditionalInfo"
	noInformation  = "no element eth0/corp.example.com AdditionalInfo"
)

// information is what the explicit domain has by Additional Information.
func (h *host) information() (found []string) {
	d := h.domain("eth0/corp.example.com")
	if info, is := d.Data(ElementAdditionalInfo, ItemAdditionalInfo).(AdditionalInfo); is {
		found = append(found, info[0].Source, info[0].Value.Identifier, info[0].Expiry.Sub(start).String())
	}
	if zones, is := d.Data(ElementAny, ItemRoutingDomains).(RoutingDomains); is {
		found = append(found, zones[0].Element.String(), zones[0].Value)
	}
	return found
}

var wholeInformation = []string{"https://corp.example.com/.well-known/pvd", "corp.example.com", "10m0s", "AdditionalInfo", "inside.example"}

// TestInformation: what was fetched is an element of its domain alone, until it expires
// (RFC 8801 sections 4 and 4.1).
func TestInformation(t *testing.T) {
	h, f := informed(fetchable, 7, "2001:db8::/32")
	h.t = t
	expect(t, "told", h.learn(f), []string{newInformation})
	expect(t, "data", h.information(), wholeInformation)
	for d := range h.s.Domains() {
		if d.FQDN() == "" && d.Data(ElementAny, ItemAdditionalInfo) != nil {
			t.Errorf("%v has it too", d.ID())
		}
	}
	h.wait(after(599))
	expect(t, "before the end", h.information(), wholeInformation)
	expect(t, "the end", h.wait(after(600)), []string{noInformation})
	expect(t, "then", h.information(), nil)
}

// TestInformationDeprecated: it is not used from the advertisement on with which it does
// not agree (RFC 8801 sections 4.1, 4.4), nor for another domain.
func TestInformationDeprecated(t *testing.T) {
	changed := func(edit func(*Facts)) func(*host, *Facts) *Facts {
		return func(_ *host, f *Facts) *Facts { return with(f, edit) }
	}
	option := func(o Option) func(*host, *Facts) *Facts {
		return changed(func(f *Facts) { f.RAs[1] = f.RAs[1].option(o).heard(0) })
	}
	another := func(heard int) func(*host, *Facts) *Facts {
		return changed(func(f *Facts) {
			o := fetchable
			o.Sequence = 8
			f.RAs = append(f.RAs, advertisement("fe80::2", after(3600), "2001:db8:2::/64").option(o).heard(heard))
		})
	}
	for name, c := range map[string]struct {
		change func(*host, *Facts) *Facts
		stays  bool
	}{
		"another sequence number":       {option(Option{FQDN: "corp.example.com", HTTP: true, Sequence: 8}), false},
		"the same":                      {option(fetchable), true},
		"the same in capitals":          {option(Option{FQDN: "CORP.example.com", HTTP: true, Sequence: 7}), true},
		"no H flag":                     {option(Option{FQDN: "corp.example.com", Sequence: 7}), false},
		"another router, heard last":    {another(5), false},
		"another router, heard earlier": {another(-5), true},
		"a prefix that is not covered": {changed(func(f *Facts) {
			f.RAs[1].Configuration.Prefixes[0].Value.Prefix = netip.MustParsePrefix("2001:db9::/64")
		}), false},
		"a prefix of the implicit domain": {changed(func(f *Facts) {
			f.RAs[0].Configuration.Prefixes[0].Value.Prefix = netip.MustParsePrefix("2001:db9::/64")
		}), true},
		"another domain's": {func(h *host, f *Facts) *Facts {
			return with(f, func(f *Facts) {
				f.Information = []Fetched{f.Information[0]}
				f.Information[0].PvD = h.domain("eth0/ipv6").ID()
			})
		}, false},
		"nobody's": {changed(func(f *Facts) { f.Information = nil }), false},
	} {
		t.Run(name, func(t *testing.T) {
			h, f := informed(fetchable, 7, "2001:db8::/32")
			h.t = t
			h.learn(f)
			expect(t, "at first", h.information(), wholeInformation)
			h.learn(c.change(h, f))
			want := wholeInformation
			if !c.stays {
				want = nil
			}
			expect(t, "then", h.information(), want)
		})
	}
}

// TestInformationRefused: what does not fit to begin with is never an element.
func TestInformationRefused(t *testing.T) {
	for name, c := range map[string]struct {
		o        Option
		sequence uint16
		prefix   string
	}{
		"fetched for an earlier number": {fetchable, 6, "2001:db8::/32"},
		"no H flag":                     {Option{FQDN: "corp.example.com", Sequence: 7}, 7, "2001:db8::/32"},
		"a prefix not covered":          {fetchable, 7, "2001:db8:2:0:8000::/65"},
	} {
		h, f := informed(c.o, c.sequence, c.prefix)
		h.t = t
		expect(t, name, h.learn(f), []string{})
	}
}

// TestInformationEndsWithItsDomain: a domain of the same name that comes back has none.
func TestInformationEndsWithItsDomain(t *testing.T) {
	h, f := informed(fetchable, 7, "2001:db8::/32")
	h.t = t
	h.learn(f)
	h.learn(with(f, func(f *Facts) { f.Addresses = f.Addresses[:2] }))
	h.learn(f)
	expect(t, "back", h.information(), nil)
}

// TestOption: the last one that is heard of a domain, and true, counts (RFC 8801 section
// 4.1).
func TestOption(t *testing.T) {
	h := newHost(t)
	f := with(corp(), func(f *Facts) {
		o := fetchable
		o.Sequence = 8
		f.RAs = append(f.RAs, advertisement("fe80::2", after(60), "2001:db8:2::/64").option(o).heard(5))
		f.RAs[1] = f.RAs[1].option(fetchable)
		f.RAs[2].FQDN = "corp.example.com."
		f.RAs[2].Configuration.PvDOption[0].Expiry = after(60)
	})
	h.learn(f)
	for _, c := range []struct {
		name string
		at   time.Time
		want uint16
	}{{"eth0/corp.example.com", start, 8}, {"eth0/corp.example.com", after(60), 7}, {"eth0/corp.example.com", after(7200), 0}, {"eth0/ipv6", start, 0}} {
		if o, ok := h.s.Option(h.domain(c.name).ID(), c.at); o.Sequence != c.want || ok != (c.want != 0) {
			t.Errorf("%s at %v: %v, %v", c.name, c.at, o, ok)
		}
	}
	id := h.domain("eth0/corp.example.com").ID()
	if _, ok := h.s.Bare().Option(id, start); ok {
		t.Error("a bare Snapshot has one")
	}
	h.step(nil, []InterfaceID{f.Interface.ID})
	if _, ok := h.s.Option(id, start); ok {
		t.Error("a domain that is gone has one")
	}
}

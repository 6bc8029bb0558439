package interop

import (
	"fmt"
	"strings"
	"testing"
)

const (
	linkUp     = `"message":"InterfaceAnnouncement","interface":2,"name":"eth0","mtu":1500,"up":true,"carrier":true`
	noCarrier  = `"message":"InterfaceAnnouncement","interface":2,"name":"eth0","mtu":1500,"up":true,"carrier":false`
	noLink     = `"message":"NoInterfaceAnnouncement","interface":2,"name":"eth0"`
	of         = `"interface":2,"name":"eth0","pvd":"eth0/ipv4"`
	domainUp   = `"message":"ProvisioningDomainAnnouncement",` + of + `,"family":"ipv4"`
	domainDown = `"message":"NoProvisioningDomainAnnouncement",` + of + `,"family":"ipv4"`
	elementUp  = `"message":"ConfigurationElementAnnouncement",` + of + `,"element":"DHCPv4"`
	elementEnd = `"message":"NoConfigurationElementAnnouncement",` + of + `,"element":"DHCPv4"`
	data       = `"message":"ConfigurationData",` + of + `,"element":"DHCPv4","item":"MTU","data":[{"value":1400,"element":"DHCPv4","source":"x","expires":9}]`
	noData     = `"message":"NoConfigurationData",` + of + `,"element":"DHCPv4","item":"MTU"`
	addressUp  = `"message":"AddressAnnouncement",` + of + `,"element":"DHCPv4","address":"192.0.2.2/24","preferred":0,"valid":9`
	longer     = `"message":"AddressAnnouncement",` + of + `,"element":"DHCPv4","address":"192.0.2.2/24","preferred":0,"valid":99`
	addressEnd = `"message":"NoAddressAnnouncement",` + of + `,"address":"192.0.2.2/24"`
	listed     = `"message":"Synced","request":"AnnounceAddresses",` + of
	refused    = `"message":"Rejected","request":"AnnounceAddresses",` + of + `,"err":"mif: no such provisioning domain"`
)

// TestRules holds streams against the model: every one but the first few breaks a rule by
// its last line, and by no other.
func TestRules(t *testing.T) {
	whole := []string{linkUp, domainUp, elementUp, addressUp}
	with := func(more ...string) []string { return append(append([]string{}, whole...), more...) }
	for _, c := range []struct {
		name  string
		lines []string
		wrong string // part of the error
	}{
		{"up and down", with(listed, data, noData, longer, addressEnd, elementEnd, domainDown, noLink, linkUp), ""},
		{"no carrier", with(addressEnd, elementEnd, domainDown, noCarrier), ""},
		{"told again", with(elementUp), ""},
		{"refused", []string{linkUp, domainUp, refused, domainDown}, ""},

		{"domain before interface", []string{domainUp}, "interface is not announced"},
		{"element before domain", []string{linkUp, elementUp}, "domain is not announced"},
		{"address before domain", []string{linkUp, addressUp}, "domain is not announced"},
		{"data before element", []string{linkUp, domainUp, data}, "element is not announced"},
		{"domain without carrier", []string{noCarrier, domainUp}, "carries nothing"},
		{"domain before its address", with(elementEnd, domainDown), "still has"},
		{"domain before its element", with(addressEnd, domainDown), "still has"},
		{"interface before its domain", with(noLink), "still has"},
		{"no interface twice", []string{linkUp, noLink, noLink}, "not announced"},
		{"no domain twice", []string{linkUp, domainUp, domainDown, domainDown}, "not announced"},
		{"no element twice", with(elementEnd, elementEnd), "not announced"},
		{"no address twice", with(addressEnd, addressEnd), "not announced"},
		{"data of a gone element", with(elementEnd, data), "not announced"},
		{"interface twice", []string{linkUp, linkUp}, "told before"},
		{"domain twice", []string{linkUp, domainUp, domainUp}, "told before"},
		{"address twice", with(addressUp), "told before"},
		{"revived by a new domain", with(addressEnd, elementEnd, domainDown, domainUp, noData), "not announced"},
		{"domain without address", []string{linkUp, domainUp, listed}, "no usable address"},
		{"other name", []string{linkUp, strings.Replace(domainUp, `"eth0"`, `"eth1"`, 1)}, "was named"},
		{"other refusal", []string{linkUp, strings.Replace(refused, "no such", "bad", 1)}, "refused"},
		{"foreign datum", with(strings.Replace(data, `"value":1400,"element":"DHCPv4"`, `"value":1400,"element":"RA"`, 1)), "datum"},
		{"endless address", with(strings.Replace(longer, `"valid":99`, `"other":1`, 1)), "missing"},
		{"unknown message", with(strings.Replace(elementUp, "Announcement", "Rumour", 1)), "named"},
	} {
		t.Run(c.name, func(t *testing.T) { judge(t, c.lines, c.wrong) })
	}
}

// judge plays lines onto a model and wants the last one to fail as said.
func judge(t *testing.T, lines []string, wrong string) {
	t.Helper()
	m := newModel()
	for i, text := range lines {
		l, err := parseLine(fmt.Appendf(nil, `{"seq":%d,"time":"2026-11-23T05:00:00Z",%s}`, i+1, text))
		if err == nil {
			err = m.take(l)
		}
		switch last := i == len(lines)-1; {
		case err == nil && last && wrong != "":
			t.Errorf("%s was let pass", text)
		case err != nil && !last, err != nil && wrong == "", err != nil && !strings.Contains(err.Error(), wrong):
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestForm holds lines against the model that no stream may have anywhere.
func TestForm(t *testing.T) {
	const at = `"time":"2026-11-23T05:00:00Z",`
	for _, text := range []string{
		`{"seq":2,` + at + linkUp + `}`,
		`{"seq":0,` + at + linkUp + `}`,
		`{"seq":1,` + at + strings.Replace(linkUp, `"up":true,`, "", 1) + `}`,
		`{"seq":1,` + at + strings.Replace(linkUp, `"interface":2`, `"interface":0`, 1) + `}`,
		`{"seq":1,"time":"now",` + linkUp + `}`,
		`{"seq":1,` + at + `"valid":-1,` + linkUp + `}`,
		`{"seq":1,` + at + `"valid":"soon",` + linkUp + `}`,
		`seq 1`,
	} {
		l, err := parseLine([]byte(text))
		if err == nil {
			err = newModel().take(l)
		}
		if err == nil {
			t.Errorf("%s was let pass", text)
		}
	}
}

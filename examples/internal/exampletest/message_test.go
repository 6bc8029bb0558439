package exampletest

import (
	"strings"
	"testing"
)

// The Tree takes what is in order and finds each kind of disorder.
func TestTree(t *testing.T) {
	up := []Message{
		{Message: "InterfaceAnnouncement", Interface: 2},
		{Message: "ProvisioningDomainAnnouncement", Interface: 2, PvD: "eth0/ipv4"},
		{Message: "ConfigurationElementAnnouncement", PvD: "eth0/ipv4", Element: "RA"},
		{Message: "AddressAnnouncement", PvD: "eth0/ipv4", Address: "192.0.2.9/24"},
	}
	down := []Message{
		{Message: "NoAddressAnnouncement", PvD: "eth0/ipv4", Address: "192.0.2.9/24"},
		{Message: "NoConfigurationElementAnnouncement", PvD: "eth0/ipv4", Element: "RA"},
		{Message: "NoProvisioningDomainAnnouncement", Interface: 2, PvD: "eth0/ipv4"},
		{Message: "NoInterfaceAnnouncement", Interface: 2},
	}
	if err := play(append(up[:len(up):len(up)], down...)); err != nil {
		t.Error(err)
	}
	for i := range up[1:] {
		if play(up[i+1:i+2]) == nil {
			t.Errorf("%s without a parent is taken", up[i+1].Message)
		}
	}
	for i, m := range down {
		if play([]Message{m}) == nil {
			t.Errorf("%s of nothing is taken", m.Message)
		}
		if i > 1 && play(append(up[:len(up):len(up)], m)) == nil {
			t.Errorf("%s before that of its children is taken", m.Message)
		}
	}
}

func play(all []Message) error {
	tree := NewTree()
	for _, m := range all {
		if err := tree.Play(m); err != nil {
			return err
		}
	}
	return nil
}

func TestParse(t *testing.T) {
	const good = `{"seq":1,"time":"2026-11-23T12:00:00.000000001Z","message":"Synced"}`
	if m, err := Parse(good); err != nil || m.Seq != 1 {
		t.Error(m, err)
	}
	for _, bad := range []string{
		"", "{", strings.Replace(good, "message", "massage", 1), strings.Replace(good, "T12", " 12", 1),
	} {
		if _, err := Parse(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

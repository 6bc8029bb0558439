package hosts

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// told is what watch tells: a fact, and under which elements.
type told map[string][]string

// A line is a message of watch -json, as far as it counts here.
type line struct {
	Message, PvD, Element, Item string
	Data                        []struct{ Value json.RawMessage }
}

// listen plays the whole lines of a stream.
func listen(stream []byte) (told, error) {
	domains := map[string]map[[2]string][]string{}
	stream = stream[:bytes.LastIndexByte(stream, '\n')+1]
	for b := range bytes.Lines(stream) {
		var l line
		if err := json.Unmarshal(b, &l); err != nil {
			return nil, fmt.Errorf("%q: %w", b, err)
		}
		key := [2]string{l.Element, l.Item}
		switch l.Message {
		case "ProvisioningDomainAnnouncement":
			domains[l.PvD] = map[[2]string][]string{{"yes", "domain"}: {""}}
		case "NoProvisioningDomainAnnouncement":
			delete(domains, l.PvD)
		case "NoConfigurationElementAnnouncement":
			maps.DeleteFunc(domains[l.PvD], func(k [2]string, _ []string) bool { return k[0] == l.Element })
		case "NoConfigurationData":
			delete(domains[l.PvD], key)
		case "ConfigurationData":
			domains[l.PvD][key] = values(l)
		}
	}
	return facts(domains), nil
}

// values are the data, each by what it is best known by. Routes are those by way of
// somebody: the others are the host's own, and default ones are told as routers.
func values(l line) (all []string) {
	for _, d := range l.Data {
		var text string
		var o struct{ Address, Prefix, Name, Destination, Gateway string }
		switch {
		case json.Unmarshal(d.Value, &text) == nil:
		case json.Unmarshal(d.Value, &o) == nil:
			if text = o.Address + o.Prefix + o.Name + o.Destination; o.Destination != "" && (o.Gateway == "" || netip.MustParsePrefix(text).Bits() == 0) {
				continue
			}
		default:
			text = string(d.Value)
		}
		all = append(all, text)
	}
	return all
}

func facts(domains map[string]map[[2]string][]string) told {
	t := told{}
	for pvd, data := range domains {
		for key, values := range data {
			for _, v := range values {
				fact := strings.TrimSpace(pvd + " " + key[1] + " " + v)
				t[fact] = append(t[fact], key[0])
			}
		}
	}
	return t
}

// differ tells what is not as the table has it for a kind of host.
func (t told) differ(kind int, privileged bool) string {
	var wrong []string
	seen := map[string]bool{}
	for _, row := range truths {
		want := row.want(kind, privileged)
		seen[row.fact] = true
		if got := strings.Join(t[row.fact], " and "); got != want {
			wrong = append(wrong, fmt.Sprintf("%s: told as %q, want %q", row.fact, got, want))
		}
	}
	for fact, elements := range t {
		if !seen[fact] {
			wrong = append(wrong, fmt.Sprintf("%s: told as %q, is not so", fact, elements))
		}
	}
	slices.Sort(wrong)
	return strings.Join(wrong, "\n")
}

// want is the element that a fact is known by.
func (row *truth) want(kind int, privileged bool) string {
	want, starred := strings.CutSuffix(row.known[kind], "*")
	if starred && !privileged {
		return ""
	}
	return want
}

package happyeyeballs

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

// A record is an address that a domain gave for a name.
type record struct {
	name   string // that was asked for
	end    string // of its aliases
	addr   netip.Addr
	expiry time.Time // zero: not during the race
	hint   *service  // whose hint it is; nil: it is no hint
}

// of tells whether the record is one of a name.
func (r *record) of(name string) bool { return r.name == name || r.end == name }

// canonical is the form in which names are compared.
func canonical(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

// give adds a record, or puts off the end of one that is known.
func (m *member) give(r record) {
	count := 0
	for _, o := range m.records {
		if o.addr == r.addr && o.name == r.name && o.hint == r.hint {
			if r.expiry.IsZero() || !o.expiry.IsZero() && r.expiry.After(o.expiry) {
				o.expiry = r.expiry
			}
			return
		}
		if o.addr.Is4() == r.addr.Is4() {
			count++
		}
	}
	if count < atMost {
		m.records = append(m.records, &r)
		m.stale = true
	}
}

// drop drops records.
func (m *member) drop(which func(*record) bool) {
	n := len(m.records)
	m.records = slices.DeleteFunc(m.records, which)
	m.stale = m.stale || len(m.records) < n
}

// expire drops what has expired (RFC 8305, section 6), and tells what has to be asked
// again, since it was not tried.
func (m *member) expire(now time.Time) (again []question) {
	expired := func(r *record) bool { return !r.expiry.IsZero() && !now.Before(r.expiry) }
	for _, c := range m.candidates {
		if r := c.record; expired(r) && r.hint == nil && !c.again {
			again = append(again, question{r.name, familyOf(r.addr)})
		}
	}
	m.drop(expired)
	return again
}

// refresh makes the candidates anew if something has changed.
func (m *machine) refresh(now time.Time, n *member) {
	if n.stale {
		n.stale = false
		n.rebuild(m.target)
	}
	if n.group.first.IsZero() && len(n.candidates) > 0 {
		n.group.first = now
	}
}

package netlink

import (
	"log/slog"
	"time"

	"github.com/go-mif/mif/pvd"
)

// tables are what the kernel has, as far as it told. Events and the entries of
// lists are folded into them in the order in which the kernel queued them.
type tables struct {
	log   *slog.Logger
	now   time.Time // when the messages being folded were received
	whole bool      // whole router advertisements are heard, not only what the kernel tells of them

	clock     uint64 // counts events
	links     map[int32]*link
	addresses map[addressKey]*addressEntry
	groups    map[groupKey]group
	unsure    [listKinds]bool // of routes: there may be others than unicast ones that are not known
	objects   map[uint32]*object
	unions    map[uint32]*object // those of them that are groups
	rules     map[string]int
	kinds     map[string]string // the kinds of links, each once

	dirty     []*link             // those with something to tell
	gone      []pvd.InterfaceID   // told, and no more
	list      *list               // being received; nil: none
	listed    [listKinds]bool     // one was asked for
	owed      owed                // lists that events have made necessary
	checks    map[int32]time.Time // when routes of links are looked at before they expire
	nextCheck time.Time           // the first of them; zero: none
	seen      messages            // memory used again
	shape     scratch             // memory used again
}

// messages are where messages are decoded to.
type messages struct {
	link    linkMessage
	address addressMessage
	route   routeMessage
	object  objectMessage
	option  optionMessage
	rule    []byte
}

func newTables(log *slog.Logger) *tables {
	return &tables{
		log:       log,
		links:     map[int32]*link{},
		addresses: map[addressKey]*addressEntry{},
		groups:    map[groupKey]group{},
		objects:   map[uint32]*object{},
		unions:    map[uint32]*object{},
		rules:     map[string]int{},
		kinds:     map[string]string{},
		owed:      owed{},
		checks:    map[int32]time.Time{},
	}
}

// event folds one event. A message that is cut, or of another family, changes
// nothing.
func (t *tables) event(m *message) {
	t.clock++
	switch s := &t.seen; m.kind {
	case rtmNewLink, rtmDelLink:
		if s.link.decode(m.body) {
			t.linkEvent(&s.link, m.kind == rtmDelLink)
		}
	case rtmNewAddr, rtmDelAddr:
		if s.address.decode(m.body) {
			t.addressEvent(&s.address, m.kind == rtmDelAddr)
		}
	case rtmNewRoute, rtmDelRoute:
		if !skippedRoute(m.body) && s.route.decode(m.body) {
			t.routeEvent(&s.route, m.kind == rtmDelRoute, m.flags)
		}
	case rtmNewNexthop, rtmDelNexthop:
		if s.object.decode(m.body) {
			t.objectEvent(&s.object, m.kind == rtmDelNexthop)
		}
	case rtmNewRule, rtmDelRule:
		t.ruleEvent(m)
	case rtmNewNDUserOpt:
		if s.option.decode(m.body) {
			t.optionEvent(&s.option)
		}
	}
}

// entry folds one entry of the list being received. What an event of since the
// list was asked for has told of the same thing is newer.
func (t *tables) entry(m *message) {
	s := &t.seen
	switch {
	case m.kind == rtmNewLink && t.list.kind == listLinks:
		if s.link.decode(m.body) {
			t.linkEntry(&s.link)
		}
	case m.kind == rtmNewAddr && t.list.kind == listAddresses:
		if s.address.decode(m.body) {
			t.addressEntry(&s.address)
		}
	case m.kind == rtmNewRoute && t.list.kind.routes() != afUnspec:
		if !skippedRoute(m.body) && s.route.decode(m.body) {
			t.routeEntry(&s.route)
		}
	case m.kind == rtmNewNexthop && t.list.kind == listObjects:
		if s.object.decode(m.body) {
			t.objectEntry(&s.object)
		}
	case m.kind == rtmNewRule && t.list.kind == listRules:
		if r, ok := decodeRule(s.rule[:0], m.body); ok {
			s.rule = r
			t.list.rules[string(r)]++
		}
	}
}

func (t *tables) ruleEvent(m *message) {
	r, ok := decodeRule(t.seen.rule[:0], m.body)
	if !ok {
		return
	}
	t.seen.rule = r
	t.disturb(listRules, 0)
	if m.kind == rtmNewRule {
		t.rules[string(r)]++
	} else if t.rules[string(r)]--; t.rules[string(r)] <= 0 {
		delete(t.rules, string(r))
	}
}

// after is the instant some seconds from now; the zero Time is the end of time.
func (t *tables) after(seconds uint32) time.Time {
	if seconds == forever {
		return time.Time{}
	}
	return t.now.Add(time.Duration(seconds) * time.Second)
}

const tolerance = 2 * time.Second

// settle keeps an instant that did not move by more than the tolerance, and
// tells whether it did.
func settle(keep *time.Time, t time.Time) bool {
	if keep.IsZero() && t.IsZero() {
		return false
	}
	if d := t.Sub(*keep).Abs(); d <= tolerance && !keep.IsZero() && !t.IsZero() {
		return false
	}
	*keep = t
	return true
}

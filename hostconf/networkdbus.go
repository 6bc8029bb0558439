package hostconf

import (
	"cmp"
	"errors"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"
)

const (
	networkdName = "org.freedesktop.network1"
	networkdPath = "/org/freedesktop/network1"
	networkdMark = networkdPath + "/link/_3" // then the index; its first digit is escaped as _3 and itself
	maxAsked     = 1024                      // links
)

// networkdBus is what is said to and by systemd-networkd on the bus.
type networkdBus struct {
	hint  *networkdHint
	all   bool // links are to be listed
	dirty map[int]bool
	links map[int][]said
	boot  time.Time
}

func (n *networkdBus) name() string { return networkdName }

func (n *networkdBus) rules() []string {
	return []string{
		properties(networkdName, networkdName+".Link"),
		properties(networkdName, networkdName+".Manager"),
	}
}

// signal notes which link has changed.
func (n *networkdBus) signal(m *dbus.Message) {
	p, _ := m.Headers[dbus.FieldPath].Value().(dbus.ObjectPath)
	digits, ok := strings.CutPrefix(string(p), networkdMark)
	index, err := strconv.Atoi(digits)
	if ok && err == nil && index > 0 {
		n.touch(index)
	} else {
		n.all = true
	}
}

func (n *networkdBus) touch(index int) {
	if n.dirty == nil {
		n.dirty = map[int]bool{}
	}
	n.dirty[index] = true
}

func (n *networkdBus) ask(b *bus) ([]said, error) {
	for _, index := range n.hint.take() {
		n.touch(index)
	}
	if err := n.list(b); err != nil {
		n.all = true // for the next time
		return nil, err
	}
	for _, index := range slices.Sorted(maps.Keys(n.dirty)) {
		said, err := n.describe(b, index)
		if err != nil {
			return nil, err
		}
		delete(n.dirty, index)
		if n.links[index] = said; len(said) == 0 {
			delete(n.links, index)
		}
	}
	var all []said
	for _, index := range slices.SortedFunc(maps.Keys(n.links), cmp.Compare[int]) {
		all = append(all, n.links[index]...)
	}
	return all, nil
}

// list has all links described, if any could have come or gone.
func (n *networkdBus) list(b *bus) error {
	if !n.all {
		return nil
	}
	body, err := b.call(networkdName, networkdPath, networkdName+".Manager", "ListLinks")
	if err != nil {
		return err
	}
	n.all, n.links, n.dirty = false, map[int][]said{}, nil
	if len(body) == 0 {
		return nil
	}
	links, _ := body[0].([][]any)
	for _, link := range links[:min(len(links), maxAsked)] {
		if index, ok := link[0].(int32); ok && index > 0 {
			n.touch(int(index))
		}
	}
	return nil
}

// describe asks about one link. One that has gone has nothing to say.
func (n *networkdBus) describe(b *bus, index int) ([]said, error) {
	body, err := b.call(networkdName, networkdPath, networkdName+".Manager", "DescribeLink", int32(index))
	var e busError
	switch {
	case errors.As(err, &e) && strings.HasPrefix(e.name, networkdName), err == nil && len(body) == 0:
		return nil, nil
	case err != nil:
		return nil, err
	}
	text, _ := body[0].(string)
	if boot := bootTime(); boot.Sub(n.boot).Abs() > time.Second { // the clock was set
		n.boot = boot
	}
	return parseDescription(index, text, n.boot), nil
}

// networkdHint notices which of its state files networkd has written: it does so
// also where it sends no signal.
type networkdHint struct {
	files map[string]string

	mu      sync.Mutex
	changed map[int]bool
}

func (h *networkdHint) read(r *reading) bool {
	now := map[string]string{}
	for _, pattern := range []string{"/run/systemd/netif/links/*", networkdFiles} {
		files, _ := r.match(pattern, closed)
		for _, f := range files {
			if info, err := r.root.Lstat(rel(f)); err == nil {
				now[f] = info.ModTime().String() + strconv.FormatInt(info.Size(), 10)
			}
		}
	}
	old := h.files
	h.files = now
	if old == nil {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.compare(old, now)
	h.compare(now, old)
	return len(h.changed) > 0
}

func (h *networkdHint) compare(old, now map[string]string) {
	for f, state := range old {
		index, err := strconv.Atoi(path.Base(f))
		if err != nil || index <= 0 || now[f] == state {
			continue
		}
		if h.changed == nil {
			h.changed = map[int]bool{}
		}
		h.changed[index] = true
	}
}

func (h *networkdHint) take() []int {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := slices.Collect(maps.Keys(h.changed))
	h.changed = nil
	return all
}

package resolver

import (
	"bytes"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	hostsPath = "/etc/hosts"
	maxHosts  = 4 << 20 // octets of the hosts file that are read

	hostsTime = time.Second // for which it is taken not to have changed
)

// A hostsFile is the host's static table of names, hosts(5), read again when
// its size or time of change is another, which is looked at once a second. A file that is absent or cannot be
// read is empty. The zero value is the host's own.
type hostsFile struct {
	path string // hostsPath if empty

	mu    sync.Mutex
	seen  time.Time // when it was looked at
	size  int64
	mtime time.Time
	names map[string]*hostEntry
}

// A hostEntry is what the file says about one name.
type hostEntry struct {
	canonical string // the first name on the name's first line
	addrs     []netip.Addr
}

// find gives the addresses of a name, in lower case, or nothing.
func (f *hostsFile) find(name string) []Answer {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refresh()
	entry := f.names[name]
	if entry == nil {
		return nil
	}
	answers := make([]Answer, len(entry.addrs))
	for i, addr := range entry.addrs {
		answers[i] = Answer{Addr: addr, CanonicalName: entry.canonical, Origin: Hosts}
	}
	return answers
}

// named gives the first names of the lines an address is on.
func (f *hostsFile) named(addr netip.Addr) (names []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refresh()
	for _, entry := range f.names {
		if slices.Contains(entry.addrs, addr) && !slices.Contains(names, entry.canonical) {
			names = append(names, entry.canonical)
		}
	}
	slices.Sort(names)
	return names
}

func (f *hostsFile) refresh() {
	now := time.Now()
	if !f.seen.IsZero() && now.Before(f.seen.Add(hostsTime)) {
		return
	}
	f.seen = now
	path := f.path
	if path == "" {
		path = hostsPath
	}
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		f.size, f.mtime, f.names = 0, time.Time{}, nil
		return
	}
	if f.names != nil && info.Size() == f.size && info.ModTime().Equal(f.mtime) {
		return
	}
	f.size, f.mtime, f.names = info.Size(), info.ModTime(), readHosts(path)
}

func readHosts(path string) map[string]*hostEntry {
	file, err := os.Open(path)
	if err != nil {
		return map[string]*hostEntry{}
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxHosts))
	if err != nil {
		return map[string]*hostEntry{}
	}
	if len(text) == maxHosts { // the last line may be half of one
		text = text[:bytes.LastIndexByte(text, '\n')+1]
	}
	return parseHosts(string(text))
}

// parseHosts reads the file's text. Names that are not valid ones, and lines
// without an address, are skipped.
func parseHosts(text string) map[string]*hostEntry {
	names := map[string]*hostEntry{}
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		addr, err := netip.ParseAddr(fields[0])
		if err != nil {
			continue
		}
		addHost(names, addr.Unmap(), fields[1:])
	}
	return names
}

func addHost(names map[string]*hostEntry, addr netip.Addr, line []string) {
	canonical, _, err := asciiName(line[0])
	for _, alias := range line {
		name, _, e := asciiName(alias)
		if e != nil {
			continue
		}
		if err != nil { // the first valid name stands for the line
			canonical, err = name, nil
		}
		entry := names[name]
		if entry == nil {
			entry = &hostEntry{canonical: canonical}
			names[name] = entry
		}
		entry.add(addr)
	}
}

func (e *hostEntry) add(addr netip.Addr) {
	count := 0
	for _, known := range e.addrs {
		if known == addr {
			return
		}
		if known.Is4() == addr.Is4() {
			count++
		}
	}
	if count < maxAddrs {
		e.addrs = append(e.addrs, addr)
	}
}

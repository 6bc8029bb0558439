package hostconf

import (
	"cmp"
	"maps"
	"os"
	"slices"
	"time"
)

// dhclientFiles are where distributions have ISC dhclient keep its leases.
var dhclientFiles = [...]string{
	"/var/lib/dhcp/dhclient*.leases",
	"/var/lib/dhclient/dhclient*.leases",
	"/var/lib/NetworkManager/dhclient-*.lease",
}

// resting is for how long a file that became shorter must not change before it is
// believed. dhclient renews its file now and then by emptying it and writing its
// leases one after the other: in between, leases that are in force seem to be
// gone. It takes a millisecond, on a busy host a few hundred; to believe an
// emptied file that late does no harm. One that has it all again is not waited for.
const resting = time.Second

// dhclient is the source of ISC dhclient's lease files.
type dhclient struct{ files map[string]*leaseFile }

// A candidate is a lease in force and the file it is from.
type candidate struct {
	*lease
	file *file
}

func (d *dhclient) read(r *reading) {
	files := map[string]*leaseFile{}
	best := map[leaseKey]candidate{}
	for _, pattern := range dhclientFiles {
		found, err := r.glob(pattern, written, true)
		used := false
		for i := range found {
			f := &found[i]
			files[f.path] = d.files[f.path].update(f, r)
			used = choose(best, files[f.path].leases, f, r) || used
		}
		if err == nil && !used {
			err = errNoLease
		}
		r.report("dhclient", pattern, err)
	}
	d.files = files
	r.addLeases(best)
}

// choose puts the leases in force into best where they supersede what is there,
// and tells whether there are any.
func choose(best map[leaseKey]candidate, leases map[leaseKey]*lease, f *file, r *reading) (used bool) {
	for key, l := range leases {
		if l.released || !r.valid(l.expiry) {
			continue
		}
		used = true
		c := candidate{l, f}
		if old, ok := best[key]; !ok || c.compare(old) > 0 {
			best[key] = c
		}
	}
	return used
}

// compare orders leases of one interface and family from different files: the one
// that lasts longer was got or renewed later; failing that, the file tells.
func (c candidate) compare(d candidate) int {
	switch forever, other := c.expiry.IsZero(), d.expiry.IsZero(); {
	case forever && !other:
		return 1
	case other && !forever:
		return -1
	}
	return cmp.Or(c.expiry.Compare(d.expiry), c.file.info.ModTime().Compare(d.file.info.ModTime()), cmp.Compare(d.file.path, c.file.path))
}

// addLeases takes the leases for true, IPv4 after IPv6 for each interface.
func (r *reading) addLeases(best map[leaseKey]candidate) {
	keys := slices.SortedFunc(maps.Keys(best), func(a, b leaseKey) int { return cmp.Compare(a.element, b.element) })
	for _, key := range keys {
		c := best[key]
		from := origin{element: key.element, source: c.file.path, expiry: c.expiry}
		r.hear(said{link: key.link, rank: rankLeases, origin: from, offer: *c.offer()})
	}
}

// A leaseFile is what is believed of one file, and how the file looks.
type leaseFile struct {
	leases map[leaseKey]*lease
	size   int64 // of the file when it was believed
	looks  file  // without the text
	since  time.Time
}

// update returns what is to be believed now that the file is found to be f; lf is
// nil if it is new.
func (lf *leaseFile) update(f *file, r *reading) *leaseFile {
	now := &leaseFile{leases: parseLeases(f.text), size: f.size, looks: file{size: f.size, info: f.info}, since: r.now}
	if lf == nil || lf.size <= f.size || !os.SameFile(lf.looks.info, f.info) || now.supersedes(lf, r.now) {
		return now
	}
	if lf.looks.size == f.size && lf.looks.info.ModTime().Equal(f.info.ModTime()) {
		now.since = lf.since
	}
	if rested := now.since.Add(resting); r.now.Before(rested) {
		r.wake(rested)
		now.leases, now.size = lf.leases, lf.size
	}
	return now
}

// supersedes tells whether everything in force that was believed is here again, as
// long or longer: then nothing of it waits to be written.
func (lf *leaseFile) supersedes(old *leaseFile, now time.Time) bool {
	for key, was := range old.leases {
		if was.released || !was.expiry.IsZero() && !now.Before(was.expiry) {
			continue
		}
		is := lf.leases[key]
		if is == nil || !is.expiry.IsZero() && (was.expiry.IsZero() || is.expiry.Before(was.expiry)) {
			return false
		}
	}
	return true
}

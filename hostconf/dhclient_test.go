package hostconf

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A file that dhclient is writing anew is believed when it is as long as before
// or rests, and until then what it said before.
func TestFileWrittenAnew(t *testing.T) {
	name := filepath.Join(t.TempDir(), "leases")
	stat := func(text string, change time.Time) fs.FileInfo {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil { // the same inode
			t.Fatal(err)
		}
		if err := os.Chtimes(name, change, change); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		return info
	}
	start := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	older := strings.NewReplacer("2099", "2098", "  renew 1", "renew 1").Replace(lease4) // and shorter
	var lf *leaseFile
	for i, step := range []struct {
		at, changed time.Duration // milliseconds
		text        string
		want        int           // leases
		wake        time.Duration // 0: none
	}{
		{0, 0, lease6 + lease4, 2, 0},
		{1000, 1000, "", 2, 2000},
		{1001, 1001, "default-duid \"x\";\n", 2, 2001},
		{1002, 1002, lease4, 2, 2002},
		{1003, 1003, lease4 + lease6, 2, 0},
		{2000, 2000, lease6, 2, 3000},
		{2500, 2000, lease6, 2, 3000}, // another source changed
		{3000, 2000, lease6, 1, 0},
		{4000, 4000, "", 1, 5000},
		{4999, 4000, "", 1, 5000},
		{5000, 4000, "", 0, 0},
		{5001, 5001, lease4, 1, 0},
		{6000, 6000, lease6 + lease4 + lease4, 2, 0},
		{6001, 6001, lease6 + lease4, 2, 0}, // all is there again
		{6002, 6002, older + lease6, 2, 7002},
		{7002, 6002, older + lease6, 2, 0},
		{8000, 8000, strings.ReplaceAll(lease6, "7200", "8200"), 2, 9000}, // one of two
	} {
		r := newReading(nil, start.Add(step.at*time.Millisecond))
		info := stat(step.text, start.Add(step.changed*time.Millisecond))
		lf = lf.update(&file{path: name, text: step.text, size: int64(len(step.text)), info: info}, r)
		var wake time.Time
		if step.wake > 0 {
			wake = start.Add(step.wake * time.Millisecond)
		}
		if len(lf.leases) != step.want || !r.next.Equal(wake) {
			t.Fatalf("step %d: %d leases, want %d; wakes at %v, want %v", i, len(lf.leases), step.want, r.next, wake)
		}
	}
}

func TestCandidates(t *testing.T) {
	dir := t.TempDir()
	info := func(name string, change int64) fs.FileInfo {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, time.Time{}, time.Unix(change, 0)); err != nil {
			t.Fatal(err)
		}
		i, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	older, newer := &file{path: "a", info: info("a", 100)}, &file{path: "b", info: info("b", 200)}
	short, long, endless := &lease{expiry: time.Unix(1, 0)}, &lease{expiry: time.Unix(2, 0)}, &lease{}
	order := []candidate{{short, older}, {short, newer}, {long, older}, {long, newer}, {endless, older}, {endless, newer}}
	for i, a := range order {
		for k, b := range order {
			if got := a.compare(b); (got > 0) != (i > k) || (got < 0) != (i < k) {
				t.Errorf("compare %d with %d: %d", i, k, got)
			}
		}
	}
}

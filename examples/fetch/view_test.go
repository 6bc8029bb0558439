package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-mif/mif"
)

// On a terminal the bars are drawn over, and what is said meanwhile stands above them.
func TestBars(t *testing.T) {
	var b bytes.Buffer
	v := &plain{w: &b, bar: true}
	id := mif.PvDID{}
	v.progress(0, 1000, map[mif.PvDID]int64{id: 0})
	v.progress(900, 1000, map[mif.PvDID]int64{id: 500})
	v.left(id, 500, errors.New("gone\x1b[2J"))
	got := b.String()
	file := " 90% of 1.0 kB         [" + strings.Repeat("=", 27) + "   ]    900 B  "
	share := " [" + strings.Repeat("=", 15) + strings.Repeat(" ", 15) + "]    500 B  "
	if strings.Count(got, "\x1b[2A\x1b[J") != 2 || !strings.Contains(got, file) || !strings.Contains(got, share) || !strings.HasSuffix(got, " leaves after 500 B: gone\\x1b[2J\n") {
		t.Errorf("%q", got)
	}
	for l := range strings.Lines(got) {
		if n := utf8.RuneCountInString(strings.TrimPrefix(l, "\x1b[2A\x1b[J")); n > 80 {
			t.Errorf("%d characters: %q", n, l)
		}
	}
}

func TestRates(t *testing.T) {
	var r rates
	id := mif.PvDID{}
	now := time.Now()
	r.at = now.Add(-time.Second)
	if _, rate := r.since(now, map[mif.PvDID]int64{id: 100}); rate[id] != 100 {
		t.Errorf("the first: %v", rate)
	}
	if _, rate := r.since(now.Add(2*time.Second), map[mif.PvDID]int64{id: 500}); rate[id] != 200 {
		t.Errorf("%v", rate)
	}
}

func TestOctets(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 2_500_000: "2.5 MB", 7e15: "7000.0 TB"} {
		if got := octets(n); got != want {
			t.Errorf("%d is %s, want %s", n, got, want)
		}
	}
}

// A password is not for the screen.
func TestShown(t *testing.T) {
	for text, want := range map[string]string{
		"http://a.example/b?c":        "http://a.example/b?c",
		"https://me:secret@a.example": "https://me:xxxxx@a.example",
		"%":                           "",
	} {
		if got := shown(text); got != want {
			t.Errorf("%s is shown as %s, want %s", text, got, want)
		}
	}
}

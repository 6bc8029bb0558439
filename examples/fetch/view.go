package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/examples/internal/program"
	"github.com/go-mif/mif/examples/internal/show"
)

// A view shows how a download goes. Counts are of octets.
type view interface {
	every() time.Duration // how often progress is shown
	began(e entity)
	joined(id mif.PvDID)
	left(id mif.PvDID, octets int64, err error)
	progress(there, size int64, by map[mif.PvDID]int64)
	done(o *order)
}

func newView(p *program.Program) view {
	if p.JSON {
		return &lines{out: json.NewEncoder(p.Out)}
	}
	return &plain{w: p.Out, bar: os.Getenv("TERM") != "dumb" && wide(p.Out)}
}

// wide tells whether something is a terminal on which lines of 80 characters fit.
func wide(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	width, _, err := term.GetSize(int(f.Fd()))
	return err == nil && width >= 80
}

// rates tells how fast domains are.
type rates struct {
	at   time.Time // of the beginning, or of the last time that they were told
	last map[mif.PvDID]int64
}

// since returns octets per second since then, and the domains in order.
func (r *rates) since(now time.Time, by map[mif.PvDID]int64) (order []mif.PvDID, rate map[mif.PvDID]float64) {
	rate = map[mif.PvDID]float64{}
	for id, octets := range by {
		if t := now.Sub(r.at).Seconds(); !r.at.IsZero() && t > 0 {
			rate[id] = float64(octets-r.last[id]) / t
		}
	}
	r.at, r.last = now, by
	return slices.SortedFunc(maps.Keys(by), func(a, b mif.PvDID) int { return cmp.Compare(a.String(), b.String()) }), rate
}

// A plain shows lines, or on a terminal a bar for the file and one for each domain.
type plain struct {
	w     io.Writer
	bar   bool
	drawn int // lines of the bar
	rates rates
}

func (v *plain) every() time.Duration {
	if v.bar {
		return time.Second / 5
	}
	return time.Second
}

// line writes a line above the bar.
func (v *plain) line(format string, args ...any) {
	v.clear()
	fmt.Fprintln(v.w, show.Printable(fmt.Sprintf(format, args...)))
}

func (v *plain) clear() {
	if v.drawn > 0 {
		fmt.Fprintf(v.w, "\x1b[%dA\x1b[J", v.drawn)
	}
	v.drawn = 0
}

func (v *plain) began(e entity) {
	v.rates.at = time.Now()
	url := shown(e.url)
	switch {
	case e.ranges:
		v.line("%s: %s, in ranges", url, octets(e.size))
	case e.size < 0:
		v.line("%s: of unknown length, in one stream: the server has no ranges", url)
	default:
		v.line("%s: %s, in one stream: the server has no ranges", url, octets(e.size))
	}
}

// shown is a URL without a password.
func shown(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return u.Redacted()
}

func (v *plain) joined(id mif.PvDID) { v.line("%v joins", id) }

func (v *plain) left(id mif.PvDID, n int64, err error) {
	if err != nil {
		v.line("%v leaves after %s: %s", id, octets(n), strings.ReplaceAll(err.Error(), "\n", "; "))
		return
	}
	v.line("%v got %s", id, octets(n))
}

func (v *plain) progress(there, size int64, by map[mif.PvDID]int64) {
	order, rate := v.rates.since(time.Now(), by)
	if v.bar {
		v.bars(order, rate, there, size, by)
		return
	}
	all := []string{share(there, size)}
	for _, id := range order {
		all = append(all, fmt.Sprintf("%v %s/s", id, octets(int64(rate[id]))))
	}
	v.line("%s", strings.Join(all, "  "))
}

// bars draws over what it has drawn before. Its lines have less than 80 characters.
func (v *plain) bars(order []mif.PvDID, rate map[mif.PvDID]float64, there, size int64, by map[mif.PvDID]int64) {
	var b strings.Builder
	total := 0.0
	for _, id := range order {
		total += rate[id]
		fmt.Fprintf(&b, "  %-20.20s %s %8s  %8s/s\n", show.Printable(id.String()), drawing(by[id], size), octets(by[id]), octets(int64(rate[id])))
	}
	v.clear()
	v.drawn = len(order) + 1
	fmt.Fprintf(v.w, "%-22s %s %8s  %8s/s\n%s", share(there, size), drawing(there, size), octets(there), octets(int64(total)), &b)
}

func (v *plain) done(o *order) {
	checked := ""
	if o.digest != (digest{}) {
		checked = ", SHA-256 as given"
	}
	if d := o.entity.digest; d != (digest{}) {
		checked += ", " + strings.ToUpper(d.algorithm) + " as the server said"
	}
	v.line("%s: %s%s", o.path, octets(o.entity.size), checked)
}

// drawing is a bar of 30 characters.
func drawing(there, size int64) string {
	full := 0
	if size > 0 {
		full = int(float64(there) / float64(size) * 30)
	}
	return "[" + strings.Repeat("=", full) + strings.Repeat(" ", 30-full) + "]"
}

func share(there, size int64) string {
	if size <= 0 {
		return octets(there)
	}
	return fmt.Sprintf("%3.0f%% of %s", 100*float64(there)/float64(size), octets(size))
}

// octets is a count for people.
func octets(n int64) string {
	value, unit := float64(n), "B"
	for _, next := range []string{"kB", "MB", "GB", "TB"} {
		if value < 1000 {
			break
		}
		value, unit = value/1000, next
	}
	if unit == "B" {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", value, unit)
}

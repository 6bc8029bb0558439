package happyeyeballs

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/pvd"
)

// columns is how wide a picture is, at most and without its labels.
const columns = 50

// A scale puts times into columns.
type scale struct {
	began time.Time
	step  time.Duration // of one column
}

// newScale takes the least of 1, 2, 5, 10, 20, ... ms for a column that will do.
func newScale(began, ended time.Time) scale {
	for s := time.Millisecond; ; s *= 10 {
		for _, f := range []time.Duration{1, 2, 5} {
			if ended.Sub(began) < s*f*columns {
				return scale{began, s * f}
			}
		}
	}
}

func (s scale) column(at time.Time) int { return int(at.Sub(s.began) / s.step) }

// ruler is the line of numbers, one each ten columns, up to a column.
func (s scale) ruler(last int) string {
	var b strings.Builder
	for c := 0; c <= last; c += 10 {
		fmt.Fprintf(&b, "%-10d", int64(s.step/time.Millisecond)*int64(c))
	}
	return strings.TrimRight(b.String(), " ") + " ms"
}

// String draws the picture. It is empty if nothing happened.
func (t *Timeline) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.began.IsZero() {
		return ""
	}
	s := newScale(t.began, t.ended)
	width := 0
	for _, l := range t.domains {
		width = max(width, len(l.domain.PvD.String()))
		for _, b := range l.bars {
			width = max(width, len(b.label()))
		}
	}
	last := s.column(t.ended)
	var out strings.Builder
	line := func(label, drawing, note string) {
		text := fmt.Sprintf("%-*s  %-*s  %s", width, label, last+1, drawing, note)
		out.WriteString(strings.TrimRight(text, " ") + "\n")
	}
	line("", s.ruler(last), "")
	for _, l := range t.domains {
		line(l.domain.PvD.String(), l.draw(s, t.ended), l.note(s))
		for _, b := range l.bars {
			line(b.label(), b.draw(s, t.ended), b.note(s))
		}
	}
	return out.String()
}

// draw fills columns from one time to another, after blanks.
func (s scale) draw(from, to time.Time, fill string) string {
	a, b := s.column(from), s.column(to)
	return strings.Repeat(" ", a) + strings.Repeat(fill, max(0, b-a))
}

func (l *domainLine) draw(s scale, ended time.Time) string {
	if !l.left.IsZero() {
		return s.draw(l.join, l.left, ".") + ")"
	}
	return s.draw(l.join, ended, ".") + "."
}

func (l *domainLine) note(s scale) string {
	if l.left.IsZero() {
		return ""
	}
	return "gone after " + milliseconds(l.left.Sub(s.began))
}

func (b *bar) label() string {
	switch {
	case b.attempt != nil:
		return "  " + b.attempt.To.Addr().String()
	case strings.EqualFold(b.lookup.Service, "https"):
		return "  HTTPS " + b.lookup.Name
	case b.lookup.Service != "":
		return "  SVCB " + b.lookup.Name
	case b.lookup.Family == pvd.IPv4:
		return "  A " + b.lookup.Name
	}
	return "  AAAA " + b.lookup.Name
}

func (b *bar) draw(s scale, ended time.Time) string {
	to := b.to
	if to.IsZero() {
		to = ended
	}
	if b.lookup != nil {
		return s.draw(b.from, to, "=") + b.mark()
	}
	if b.up.IsZero() || s.column(b.up) >= s.column(to) {
		return s.draw(b.from, to, "-") + b.mark()
	}
	checked := strings.Repeat("=", s.column(to)-s.column(b.up)-1)
	return s.draw(b.from, b.up, "-") + "+" + checked + b.mark()
}

// mark is how a bar ends.
func (b *bar) mark() string {
	switch {
	case b.to.IsZero():
		return ""
	case b.lookup != nil && errors.Is(b.err, mif.ErrStopped):
		return "/"
	case b.lookup != nil:
		return strconv.Itoa(min(b.addrs, 9))
	case b.err == nil:
		return "*"
	case errors.Is(b.err, mif.ErrStopped):
		return "/"
	}
	return "x"
}

func (b *bar) note(s scale) string {
	took := milliseconds(b.to.Sub(b.from))
	switch {
	case b.to.IsZero():
		return ""
	case errors.Is(b.err, mif.ErrStopped):
		return "cancelled"
	case b.err != nil:
		return took + ", " + reason(b.err)
	case b.attempt != nil:
		return took + ", won after " + milliseconds(b.to.Sub(s.began))
	}
	return took
}

func milliseconds(d time.Duration) string {
	return strconv.FormatInt(d.Round(time.Millisecond).Milliseconds(), 10) + " ms"
}

// reason is the heart of an error: what it wraps innermost.
func reason(err error) string {
	for {
		switch e := err.(type) {
		case interface{ Unwrap() error }:
			if e.Unwrap() == nil {
				return err.Error()
			}
			err = e.Unwrap()
		case interface{ Unwrap() []error }:
			all := e.Unwrap()
			if len(all) == 0 {
				return err.Error()
			}
			err = all[0]
		default:
			return err.Error()
		}
	}
}

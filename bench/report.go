package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// table prints a Markdown table. The first column is for names.
func table(title string, head []string, rows [][]string) {
	fmt.Printf("\n### %s\n\n| %s |\n|---%s|\n", title, strings.Join(head, " | "), strings.Repeat("|--:", len(head)-1))
	for _, r := range rows {
		fmt.Printf("| %s |\n", strings.Join(r, " | "))
	}
}

// quantile is the q-quantile of v; 0 if there is none.
func quantile(v []float64, q float64) float64 {
	if len(v) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(v))
	return s[int(q*float64(len(s)-1)+0.5)]
}

func median(v []float64) float64 { return quantile(v, 0.5) }

// ratio is the median of the ratios of rounds.
func ratio(v, to []float64) string {
	var r []float64
	for i := range min(len(v), len(to)) {
		r = append(r, v[i]/to[i])
	}
	return times(median(r))
}

func times(r float64) string {
	if r == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", r)
}

// ns is a number of nanoseconds to three digits.
func ns(v float64) string {
	switch {
	case v == 0:
		return "–"
	case v < 1e3:
		return fmt.Sprintf("%.0f ns", v)
	case v < 1e6:
		return fmt.Sprintf("%.3g µs", v/1e3)
	}
	return fmt.Sprintf("%.3g ms", v/1e6)
}

func count(v float64) string { return fmt.Sprintf("%.0f", v) }

// rounds is how many rounds to run.
func rounds(n int) int {
	if *quick {
		return 2
	}
	return n
}

// pick is the number of things to do, fewer if it is to be quick.
func pick(n, few int) int {
	if *quick {
		return few
	}
	return n
}

// shuffled yields the names in an order that differs from round to round.
func shuffled(names []string, round int) []string {
	k := round % len(names)
	return slices.Concat(names[k:], names[:k])
}

func since(t time.Time) float64 { return float64(time.Since(t)) }

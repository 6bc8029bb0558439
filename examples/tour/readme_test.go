package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-mif/mif/examples/internal/exampletest"
)

// instant is one of the numbers at the right of the picture.
var instant = regexp.MustCompile(`^\d+\.\d$`)

// The README shows how the tour ends, and a picture of it.
func TestReadme(t *testing.T) {
	exampletest.Recorded(t, func() string { return drawn(t) })
}

func drawn(t *testing.T) (problem string) {
	file := filepath.Join(t.TempDir(), "figure.svg")
	r := tour(t, exampletest.Outside("-picture", file))
	_, rest, _ := strings.Cut(r.Out, "in each domain:\n\n")
	legend, _, ok := strings.Cut(rest, "\nArrows to the right")
	if !ok {
		t.Fatalf("status %d, %s%s", r.Status, r.Out, r.Err)
	}
	picture, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	problem = exampletest.Kept(t, "docs/tour.svg", picture, func(b []byte) string {
		all, _ := shapes(t, b)
		words := slices.DeleteFunc(strings.Fields(strings.Join(texts(all), " ")), instant.MatchString)
		slices.Sort(words) // lines may be broken elsewhere, and trade places
		return strings.Join(slices.Compact(words), "\n")
	})
	return exampletest.Shown(t, exampletest.README, "tour", "$ tour\n...\n"+legend) + problem
}

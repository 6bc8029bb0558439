package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-mif/mif/examples/internal/exampletest"
)

// A shape is an element of a picture, with the text in it.
type shape struct {
	name  string
	class string
	at    map[string]float64 // its attributes that are numbers
	text  string
}

// shapes reads a picture, and fails if it is not one well-formed document.
func shapes(t *testing.T, picture []byte) (all []shape, view []string) {
	t.Helper()
	open := []int{} // of all, -1 for one that is in a text
	for d := xml.NewDecoder(bytes.NewReader(picture)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, picture)
		}
		switch token := token.(type) {
		case xml.StartElement:
			if token.Name.Space != "http://www.w3.org/2000/svg" {
				t.Errorf("%v is no SVG", token.Name)
			}
			if token.Name.Local == "tspan" {
				open = append(open, open[len(open)-1])
				continue
			}
			s := shape{name: token.Name.Local, at: map[string]float64{}}
			for _, a := range token.Attr {
				if n, err := strconv.ParseFloat(a.Value, 64); err == nil {
					s.at[a.Name.Local] = n
				}
				switch a.Name.Local {
				case "class":
					s.class = a.Value
				case "viewBox":
					view = strings.Fields(a.Value)
				}
			}
			all, open = append(all, s), append(open, len(all))
		case xml.CharData:
			if len(open) > 0 {
				all[open[len(open)-1]].text += string(token)
			}
		case xml.EndElement:
			open = open[:len(open)-1]
		}
	}
	return all, view
}

// texts are the lines of a picture, from top to bottom, each without its ends.
func texts(all []shape) (out []string) {
	for _, s := range all {
		if s.name == "text" {
			out = append(out, strings.TrimSpace(s.text))
		}
	}
	return out
}

// checkView checks that everything is inside the picture, also as wide as its letters are.
func checkView(t *testing.T, all []shape, view []string) {
	t.Helper()
	if len(view) != 4 {
		t.Fatalf("viewBox %q", view)
	}
	wide, _ := strconv.ParseFloat(view[2], 64)
	tall, _ := strconv.ParseFloat(view[3], 64)
	for _, s := range all {
		right := max(s.at["x"]+s.at["width"], s.at["x2"])
		if s.name == "text" && s.class != "time" && s.class != "name" {
			right = s.at["x"] + float64(len([]rune(s.text)))*column
		}
		if bottom := max(s.at["y"]+s.at["height"], s.at["y2"]); right > wide || bottom > tall || s.at["x"] < 0 {
			t.Errorf("%s %q reaches %g, %g of %g, %g", s.name, s.text, right, bottom, wide, tall)
		}
	}
}

// The picture has every line of the figure, in the figure's order, and its arrows.
func TestPicture(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "figure.svg")
	r := tour(t, exampletest.Outside("-picture", file))
	checkFigure(t, r)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	all, view := shapes(t, b)
	checkView(t, all, view)
	got := texts(all)
	at, right, left := 0, 0, 0
	for l := range strings.Lines(r.Out) {
		switch {
		case strings.Contains(l, "-->|"):
			right++
			continue
		case strings.Contains(l, "|<--"):
			left++
			continue
		case strings.HasPrefix(l, "+"), strings.HasPrefix(l, "|"):
			continue
		}
		text, when, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(l), "|"), " |")
		for _, want := range []string{strings.TrimSpace(text), strings.TrimSpace(when)} {
			i := slices.Index(got[at:], want)
			if want == "" {
				continue
			}
			if i < 0 {
				t.Fatalf("%q is not there in its place", want)
			}
			at += i + 1
		}
	}
	count := map[string]int{}
	for _, s := range all {
		if s.name == "polygon" {
			count[s.class]++
		}
	}
	if right == 0 || left == 0 || count["posted"] != right || count["got"] != left {
		t.Errorf("arrows %v, want %d and %d", count, right, left)
	}
}

// What a network says does no harm to the picture, whatever it is.
func TestPictureEscapes(t *testing.T) {
	evil := `</text><script>alert("1")</script> & ]]> PD 1 &amp; 'x'`
	b := picture([]row{
		{kind: aMessage, to: toApp, text: evil, when: "<1"},
		{kind: anArrow, to: toApp},
		{kind: aNote, text: "nul \x00 and \xff"},
		{kind: aCaption, text: "  PD 12   " + evil},
	})
	all, view := shapes(t, b)
	checkView(t, all[:1], view)
	got := texts(all)
	for _, want := range []string{evil, "<1", "nul \ufffd and \ufffd", "PD 12   " + evil} {
		if !slices.Contains(got, want) {
			t.Errorf("%q is not in %q", want, got)
		}
	}
	for _, s := range all {
		if s.name == "script" {
			t.Error("there is a script")
		}
	}
}

// With -json the messages are printed and the picture is drawn.
func TestPictureOfMessages(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "figure.svg")
	r := tour(t, exampletest.Outside("-json", "-picture", file))
	if r.Status != 0 || len(exampletest.ParseAll(t, r.Out)) < 50 {
		t.Errorf("status %d, %s\n%s", r.Status, r.Err, r.Out)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	all, _ := shapes(t, b)
	if !slices.Contains(texts(all), "Announce Interfaces") {
		t.Errorf("%q", texts(all))
	}
}

// A picture that cannot be written is a failure, and the figure is printed all the same.
func TestNoPicture(t *testing.T) {
	t.Parallel()
	r := tour(t, exampletest.Outside("-picture", filepath.Join(t.TempDir(), "none", "figure.svg")))
	if r.Status != 1 || !strings.Contains(r.Err, "tour: the picture: open ") || !strings.Contains(r.Out, "<== the best, used") {
		t.Errorf("status %d, %s\n%s", r.Status, r.Err, r.Out)
	}
}

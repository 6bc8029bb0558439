package exampletest

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The pages that recordings are on, from the project's root.
const (
	README   = "README.md"
	Programs = "docs/programs.md"
)

// recordVariable is set to have the pages written anew:
//
//	MIF_RECORD=1 go test -count=1 -p 1 -run TestReadme ./examples/...
const recordVariable = "MIF_RECORD"

const root = "../../"

// runs is how often a program may print something else than is recorded, as it may on a
// busy machine where now and then another domain is first, until that is wrong.
const runs = 4

// Recorded checks that a run of a program is as it was recorded, which is repeated while
// there is a problem: what Shown and Kept return.
func Recorded(t *testing.T, run func() (problem string)) {
	t.Helper()
	problem := run()
	for n := 1; problem != "" && n < runs; n++ {
		problem = run()
	}
	if problem != "" {
		t.Errorf("%s%d runs were not as recorded; %s=1 has the recording made anew", problem, runs, recordVariable)
	}
}

// Shown tells whether a page shows what a program prints, under a name, but for what is
// different each time: clocks, durations, counts of octets, ports, and which of several
// lines comes first.
func Shown(t *testing.T, page, name, printed string) (problem string) {
	t.Helper()
	mark := "<!-- recorded: " + name + " -->\n```\n"
	all, err := os.ReadFile(root + page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(all), mark)
	shown, after, ok2 := strings.Cut(rest, "```\n")
	if !ok || !ok2 {
		t.Fatalf("%s has no block for %s", page, name)
	}
	printed = trimmed(printed)
	return keep(t, page, settled(shown), settled(printed), before+mark+printed+"```\n"+after)
}

// Kept tells whether a file, by its path in the project, is what a program writes, but for
// what is different each time in that which is essential of both.
func Kept(t *testing.T, path string, written []byte, essential func([]byte) string) (problem string) {
	t.Helper()
	kept, err := os.ReadFile(root + path)
	if err != nil && os.Getenv(recordVariable) == "" {
		t.Fatal(err)
	}
	was := ""
	if len(kept) > 0 {
		was = settled(essential(kept))
	}
	return keep(t, path, was, settled(essential(written)), string(written))
}

// keep wants a file to say what it should, or writes it.
func keep(t *testing.T, path, says, should, content string) (problem string) {
	t.Helper()
	switch {
	case says == should:
	case os.Getenv(recordVariable) == "":
		return fmt.Sprintf("%s says\n%s\nand should\n%s\n", path, says, should)
	default:
		if err := os.WriteFile(root+path, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return ""
}

var lineEnds = regexp.MustCompile(`[ \r]+(\n|$)`)

// trimmed is a text with a line end at the end, and no spaces before any.
func trimmed(s string) string {
	return strings.TrimRight(lineEnds.ReplaceAllString(s, "$1"), "\n") + "\n"
}

// changing is what is different each time, and what stands for it.
var changing = []struct {
	what *regexp.Regexp
	by   string
}{
	{regexp.MustCompile(`time=\S+`), "time=CLOCK"},
	{regexp.MustCompile(`\d\d:\d\d:\d\d(\.\d+)?`), "CLOCK"},
	{regexp.MustCompile(`\d+ of \d+ (octets)`), "COUNT of COUNT $1"},
	{regexp.MustCompile(`\b(\d+(\.\d+)?(ns|µs|ms|s|m|h))+\b`), "TIME"},
	{regexp.MustCompile(`\d+(\.\d+)? (s|ms|µs)\b`), "TIME"},
	{regexp.MustCompile(`\d+(\.\d+)? [kMG]?B\b`), "OCTETS"},
	{regexp.MustCompile(`\d+%`), "SHARE"},
	{regexp.MustCompile(`\[=* *\]`), "BAR"},
	{regexp.MustCompile(`:\d{5}\b`), ":PORT"},
	{regexp.MustCompile(` +`), " "},
}

// settled is a text without what is different each time.
func settled(s string) string {
	for _, c := range changing {
		s = c.what.ReplaceAllString(s, c.by)
	}
	return strings.Join(slices.Sorted(strings.Lines(trimmed(s))), "")
}

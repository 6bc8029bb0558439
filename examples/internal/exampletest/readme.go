package exampletest

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// recordVariable is set to have the README written anew:
//
//	MIF_RECORD=1 go test -count=1 -p 1 -run TestReadme ./examples/...
const recordVariable = "MIF_RECORD"

const root = "../../"

// Shown checks that the README shows what a program prints, under a name, but for
// what is different each time: clocks, durations, counts of octets, ports, and which of
// several lines comes first.
func Shown(t *testing.T, name, printed string) {
	t.Helper()
	mark := "<!-- recorded: " + name + " -->\n```\n"
	all, err := os.ReadFile(root + "README.md")
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(all), mark)
	shown, after, ok2 := strings.Cut(rest, "```\n")
	if !ok || !ok2 {
		t.Fatalf("the README has no block for %s", name)
	}
	printed = trimmed(printed)
	keep(t, "README.md", settled(shown), settled(printed), before+mark+printed+"```\n"+after)
}

// Kept checks that a file, by its path in the project, is what a program writes, but for
// what is different each time in that which is essential of both.
func Kept(t *testing.T, path string, written []byte, essential func([]byte) string) {
	t.Helper()
	kept, err := os.ReadFile(root + path)
	if err != nil && os.Getenv(recordVariable) == "" {
		t.Fatal(err)
	}
	was := ""
	if len(kept) > 0 {
		was = settled(essential(kept))
	}
	keep(t, path, was, settled(essential(written)), string(written))
}

// keep wants a file to say what it should, or writes it.
func keep(t *testing.T, path, says, should, content string) {
	t.Helper()
	switch {
	case says == should:
	case os.Getenv(recordVariable) == "":
		t.Errorf("%s says\n%s\nand should\n%s\n%s=1 has it written", path, says, should, recordVariable)
	default:
		if err := os.WriteFile(root+path, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
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

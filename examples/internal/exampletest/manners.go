package exampletest

import (
	"strings"
	"testing"
)

// Manners checks what every example owes who calls it: that -h teaches, and that a
// wrong call is told so with status 2.
func Manners(t *testing.T, name string, wrong map[string][]string) {
	t.Helper()
	r := RunHere(t, "-h")
	for _, want := range []string{"usage: " + name, "draft-ietf-mif-api-extension-00", "section", "\n    " + name + " ", "-json", "-netns"} {
		if !strings.Contains(r.Out, want) {
			t.Errorf("-h does not say %q:\n%s", want, r.Out)
		}
	}
	if r.Status != 0 || r.Err != "" {
		t.Errorf("-h: status %d, %q", r.Status, r.Err)
	}
	for says, args := range wrong {
		r := RunHere(t, args...)
		if r.Status != 2 || !strings.Contains(r.Err, says) || r.Out != "" {
			t.Errorf("%q: status %d, want 2; %q does not say %q", args, r.Status, r.Err, says)
		}
	}
}

package resolver

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"
)

func TestHostsFile(t *testing.T) {
	asked := serve(t, true, func(q query) { q.send(truth(q)) })
	r := newResolver(t, Config{Servers: []netip.AddrPort{asked.addr}})
	r.hosts.path = filepath.Join(t.TempDir(), "hosts")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(r.hosts.path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		r.hosts.seen = time.Time{} // a second later
	}
	write("10.1.1.1 Box.example.com box # a comment\n")
	answers, err := collectAnswers(t.Context(), r, "BOX", Both)
	want := []Answer{{Addr: netip.MustParseAddr("10.1.1.1"), CanonicalName: "box.example.com", Origin: Hosts}}
	if err != nil || !reflect.DeepEqual(answers, want) {
		t.Errorf("%+v, %v", answers, err)
	}
	if _, err := collect(t.Context(), r, "box", IPv6); !errors.Is(err, ErrNoData) {
		t.Errorf("other family: %v", err)
	}
	write("10.1.1.1 box\n2001:db8::9 box\n10.1.1.1 box\n")
	if got, err := collect(t.Context(), r, "box", Both); err != nil || !slices.Equal(got, []string{"10.1.1.1", "2001:db8::9"}) {
		t.Errorf("changed file: %v, %v", got, err)
	}
	info, err := os.Stat(r.hosts.path)
	if err != nil {
		t.Fatal(err)
	}
	check := func(text, want string, at time.Time) {
		t.Helper()
		write(text)
		if err := os.Chtimes(r.hosts.path, at, at); err != nil {
			t.Fatal(err)
		}
		if got, err := collect(t.Context(), r, "box", IPv4); err != nil || !slices.Equal(got, []string{want}) {
			t.Errorf("%v, %v; want %s", got, err, want)
		}
	}
	check("10.2.2.2 box\n", "10.2.2.2", info.ModTime())
	check("10.3.3.30 box\n", "10.3.3.30", info.ModTime())
	check("10.3.3.31 box\n", "10.3.3.31", info.ModTime().Add(time.Second))
	if err := os.Remove(r.hosts.path); err != nil {
		t.Fatal(err)
	}
	r.hosts.seen = time.Time{}
	if got, err := collect(t.Context(), r, "box", Both); err != nil || !slices.Equal(got, both) {
		t.Errorf("file removed: %v, %v", got, err)
	}
}

func TestParseHosts(t *testing.T) {
	text := "# none\n\n10.0.0.1\n10.0.0.2 a.test a\nnonsense b\n10.0.0.3 b!d c\n::ffff:10.0.0.4 c # d\n" +
		"fe80::5%3\tC\r\n10.0.0.6 e" // the last without an end of line
	names := parseHosts(text)
	want := map[string]string{
		"a.test": "a.test 10.0.0.2", "a": "a.test 10.0.0.2", "c": "c 10.0.0.3 10.0.0.4 fe80::5%3", "e": "e 10.0.0.6",
	}
	for name, line := range want {
		entry := names[name]
		if entry == nil {
			t.Errorf("%s is missing", name)
			continue
		}
		got := entry.canonical
		for _, a := range entry.addrs {
			got += " " + a.String()
		}
		if got != line {
			t.Errorf("%s: %s, want %s", name, got, line)
		}
	}
	if len(names) != len(want) {
		t.Errorf("%d names, want %d", len(names), len(want))
	}
}

package proxy

import (
	"net/netip"
	"strings"
	"testing"
)

func TestDatagram(t *testing.T) {
	for in, want := range map[string]string{
		"\x00\x00\x00\x01\xc0\x00\x02\x01\x00\x35x":                     "192.0.2.1:53 x",
		"\x00\x00\x00\x03\x09a.example\x00\x35":                         "a.example:53 ",
		"\x00\x00\x00\x04 \x01\r\xb8\n\n\n\n\n\n\n\n\n\n\n\n\x01\xbbxy": "[2001:db8:a0a:a0a:a0a:a0a:a0a:a0a]:443 xy",
		"\x00\x00\x01\x01\xc0\x00\x02\x01\x00\x35x":                     "", // a fragment
		"\x00\x00\x00\x01\xc0\x00\x02\x01\x00":                          "",
		"\x00\x00\x00\x03\x00\x00\x35":                                  "",
		"\x00\x00\x00\x03\x02a\x00\x00\x35":                             "",
		"\x00\x00":                                                      "",
	} {
		to, payload, ok := parseDatagram([]byte(in))
		if got := to.String() + " " + string(payload); ok != (want != "") || ok && got != want {
			t.Errorf("%q is %q %v, want %q", in, got, ok, want)
		}
	}
}

// An address that was written is read again.
func TestAddress(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.1:80":            "192.0.2.1:80",
		"[2001:db8::1]:65535":     "[2001:db8::1]:65535",
		"[fe80::1%eth0]:1":        "[fe80::1]:1",
		"[::ffff:192.0.2.1]:8080": "192.0.2.1:8080",
	} {
		to, err := readDestination(strings.NewReader(string(appendAddress(nil, netip.MustParseAddrPort(in)))))
		if err != nil || to.String() != want {
			t.Errorf("%s is read as %v %v, want %s", in, to, err, want)
		}
	}
	if got := string(appendAddress(nil, netip.AddrPort{})); got != "\x01\x00\x00\x00\x00\x00\x00" {
		t.Errorf("none is %q", got)
	}
}

// Whatever a client sends, reading it ends, and takes no more than there is.
func FuzzHandshake(f *testing.F) {
	f.Add("\x05\x02\x00\x02\x01\x04eth0\x01x\x05\x01\x00\x03\x09a.example\x00\x50")
	f.Add("\x05\x01\x00\x05\x01\x00\x01\xc0\x00\x02\x01\x00\x50")
	f.Fuzz(func(t *testing.T, in string) {
		r := strings.NewReader(in)
		method, err := readMethods(r)
		if err != nil {
			return
		}
		if method == userName {
			if _, err := readUser(r); err != nil {
				return
			}
		}
		_, to, err := readRequest(r)
		if err == nil && to.host == "" {
			t.Errorf("%q has no host", in)
		}
	})
}

package hostconf

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/go-mif/mif/pvd"
)

const getAll = resolvedName + " GetAll"

// resolve has a bus answer for systemd-resolved, with these servers of link 7.
func (b *fakeBus) resolve(addrs ...[]byte) {
	b.answer(getAll, func([]any) []any {
		type entry struct {
			Index, Family int32
			Address       []byte
		}
		var all []entry
		for _, a := range addrs {
			all = append(all, entry{7, 2, a})
		}
		return []any{map[string]dbus.Variant{"DNS": dbus.MakeVariant(all)}}
	})
}

func (b *fakeBus) resolvedChanged() {
	b.changed("/org/freedesktop/resolve1", resolvedName+".Manager")
}

func (r *rig) mkdir(path string) { r.must(os.MkdirAll(r.path(path), 0o755)) }

// seven is the name servers of link 7.
func seven(s *State, want ...string) bool {
	var got []string
	for _, c := range s.ByIndex[7] {
		for _, d := range c.DNSServers {
			got = append(got, d.Value.Addr().String())
		}
	}
	return slices.Equal(got, want)
}

func resolvedRig(t *testing.T) (*rig, *fakeBus) {
	r := newRig(t)
	r.mkdir("/run/systemd/resolve")
	b := r.bus()
	b.resolve([]byte{192, 0, 2, 1})
	return r, b
}

func TestBus(t *testing.T) {
	r, b := resolvedRig(t)
	r.open()
	if s := r.receive(); !seven(s, "192.0.2.1") {
		t.Fatalf("at first: %+v", s)
	}
	b.resolve([]byte{192, 0, 2, 2})
	b.resolvedChanged()
	r.until(func(s *State) bool { return seven(s, "192.0.2.2") })
	if err := r.sourceOf("resolved", busSocket); err != nil {
		t.Error(err)
	}
	if err := r.sourceOf("networkd", busSocket); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a program that is not there: %v", err)
	}
}

// A bus is left alone where none of the programs is.
func TestBusWithoutPrograms(t *testing.T) {
	r := newRig(t)
	called := make(chan struct{}, 10)
	r.peer(busSocket, func(c net.Conn) { called <- struct{}{}; c.Close() })
	r.open()
	r.receive()
	r.mkdir("/run/NetworkManager")
	for len(called) == 0 { // it comes, but not before
		r.poll()
	}
	for _, name := range []string{"networkd", "resolved"} {
		if err := r.sourceOf(name, busSocket); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestProgramComesAndGoes(t *testing.T) {
	r, b := resolvedRig(t)
	b.quit(getAll)
	r.open()
	r.receive()
	if err := r.sourceOf("resolved", busSocket); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before: %v", err)
	}
	b.resolve([]byte{192, 0, 2, 1})
	b.owner(resolvedName, "", ":1.7")
	r.until(func(s *State) bool { return seven(s, "192.0.2.1") })
	b.quit(getAll)
	b.owner(resolvedName, ":1.7", "")
	r.until(func(s *State) bool { return seven(s) })
	if n := r.log.count("does not run"); n != 2 {
		t.Errorf("said %d times", n)
	}
}

func TestBusDies(t *testing.T) {
	r, b := resolvedRig(t)
	r.open()
	r.receive()
	b.die()
	r.until(func(s *State) bool { return seven(s) })
	r.must(os.Remove(b.path))
	r.bus().resolve([]byte{192, 0, 2, 2})
	r.until(func(s *State) bool { return seven(s, "192.0.2.2") })
}

// A bus that starts again takes nothing back, if it is quick.
func TestBusRestarts(t *testing.T) {
	r, b := resolvedRig(t)
	r.pace.grace = time.Hour
	r.open()
	r.receive()
	b.die()
	r.must(os.Remove(b.path))
	r.bus().resolve([]byte{192, 0, 2, 2})
	if s := r.receive(); !seven(s, "192.0.2.2") {
		t.Errorf("got %+v", s)
	}
}

// A program that was stopped is not asked again and again, but heard when it goes on.
func TestProgramHangs(t *testing.T) {
	r, b := resolvedRig(t)
	r.pace.patience = 50 * time.Millisecond
	b.mute()
	r.open()
	r.receive()
	for !errors.Is(r.sourceOf("resolved", busSocket), errSilent) {
		r.poll()
	}
	b.speak()
	r.until(func(s *State) bool { return seven(s, "192.0.2.1") })
}

func TestBusHangs(t *testing.T) {
	r := newRig(t)
	r.pace.patience = 10 * time.Millisecond
	r.mkdir("/run/systemd/resolve")
	p := r.peer(busSocket, func(net.Conn) {})
	r.open()
	r.receive()
	for !errors.Is(r.sourceOf("resolved", busSocket), os.ErrDeadlineExceeded) {
		r.poll()
	}
	p.leave()
	r.bus().resolve([]byte{192, 0, 2, 1})
	r.until(func(s *State) bool { return seven(s, "192.0.2.1") })
}

func TestBusTalksNonsense(t *testing.T) {
	welcomed := "DATA\r\nOK 0\r\n"
	for name, answer := range map[string]string{
		"nothing":    "",
		"refused":    "REJECTED EXTERNAL\r\n",
		"text":       welcomed + "I am no bus at all, and never was one.",
		"no end":     strings.Repeat("x", 10000),
		"too long":   welcomed + "l\x02\x00\x01\xff\xff\xff\x7f\x01\x00\x00\x00\x00\x00\x00\x00",
		"cut":        welcomed + "l\x02\x00\x01\x08\x00\x00\x00\x01\x00\x00\x00\x08\x00\x00\x00\x05",
		"odd header": welcomed + "l\x02\x00\x01\x00\x00\x00\x00\x01\x00\x00\x00\x08\x00\x00\x00\x05\x01s\x00\x00\x00\x00\x00",
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.mkdir("/run/systemd/resolve")
			p := r.peer(busSocket, func(c net.Conn) {
				c.Write([]byte(answer))
				c.(*net.UnixConn).CloseWrite()
			})
			r.open()
			r.receive()
			for r.sourceOf("resolved", busSocket) == nil {
				r.poll()
			}
			for range 10 {
				r.poll()
			}
			if n := r.log.count("source=resolved"); n != 1 {
				t.Errorf("said %d times", n)
			}
			p.leave()
			r.bus().resolve([]byte{192, 0, 2, 1})
			r.until(func(s *State) bool { return seven(s, "192.0.2.1") })
		})
	}
}

// Answers of the wrong types say nothing, and what is good in one is kept.
func TestOddAnswers(t *testing.T) {
	for name, answer := range map[string][]any{
		"none":        {},
		"a number":    {uint32(7)},
		"a list":      {[]string{"DNS"}},
		"odd values":  {map[string]dbus.Variant{"DNS": dbus.MakeVariant("192.0.2.1"), "Domains": dbus.MakeVariant(uint32(1))}},
		"odd entries": {map[string]dbus.Variant{"DNS": dbus.MakeVariant([]struct{ A string }{{"x"}}), "Domains": dbus.MakeVariant([]struct{ A, B, C string }{{"x", "y", "z"}})}},
		"odd address": {map[string]dbus.Variant{"DNS": dbus.MakeVariant([]struct {
			A, B int32
			C    []byte
		}{{7, 2, []byte{1, 2, 3}}, {-7, 2, []byte{192, 0, 2, 9}}, {7, 2, []byte{127, 0, 0, 53}}})}},
	} {
		t.Run(name, func(t *testing.T) {
			r, b := resolvedRig(t)
			b.answer(getAll, func([]any) []any { return answer })
			r.open()
			if s := r.receive(); len(s.ByIndex) != 0 {
				t.Errorf("got %+v", s)
			}
			b.resolve([]byte{192, 0, 2, 1}, []byte{1})
			b.resolvedChanged()
			r.until(func(s *State) bool { return seven(s, "192.0.2.1") })
		})
	}
}

// What systemd-resolved knows beyond what managers told is told, and it is asked
// before resolv.conf.
func TestResolved(t *testing.T) {
	r, b := resolvedRig(t)
	r.write("/etc/resolv.conf", "nameserver 192.0.2.66")
	r.write("/sys/class/net/eth0/ifindex", "3\n")
	r.dhcpcd(bound("eth0", "192.0.2.3"))
	type server struct {
		Index, Family int32
		Address       []byte
		Port          uint16
		Name          string
	}
	type domain struct {
		Index   int32
		Name    string
		Routing bool
	}
	b.answer(getAll, func([]any) []any {
		return []any{map[string]dbus.Variant{
			"DNSEx":   dbus.MakeVariant([]server{{3, 2, []byte{192, 0, 2, 3}, 0, ""}, {7, 2, []byte{192, 0, 2, 7}, 853, "x.example"}, {0, 2, []byte{192, 0, 2, 9}, 0, ""}}),
			"Domains": dbus.MakeVariant([]domain{{7, "corp.example", true}, {7, ".", true}, {7, "lab.example", false}}),
		}}
	})
	r.open()
	s := r.receive()
	if len(s.ByIndex) != 1 || len(s.ByIndex[7]) != 1 || !server4(s, "192.0.2.3") || resolver(s) != "192.0.2.9" {
		t.Fatalf("got %+v", s)
	}
	c := s.ByIndex[7][0]
	if d := c.DNSServers[0]; d.Value.String() != "192.0.2.7:853" || d.Element != pvd.ElementHost || d.Source != "systemd-resolved" {
		t.Errorf("server: %+v", d)
	}
	if !slices.Equal(values(c.RoutingDomains), []string{"corp.example", "."}) || !slices.Equal(values(c.SearchDomains), []string{"lab.example"}) {
		t.Errorf("domains: %+v, %+v", c.RoutingDomains, c.SearchDomains)
	}
}

// A change that comes without a signal shows in the file that resolved writes.
func TestResolvedFile(t *testing.T) {
	r, b := resolvedRig(t)
	r.write(resolvedFile, "nameserver 192.0.2.1\n")
	r.open()
	r.receive()
	b.resolve([]byte{192, 0, 2, 2})
	r.write(resolvedFile, "nameserver 192.0.2.2\n")
	r.until(func(s *State) bool { return seven(s, "192.0.2.2") })
}

// Where there is no bus, systemd-resolved's own file tells where it asks.
func TestResolvedWithoutBus(t *testing.T) {
	r := newRig(t)
	r.write(resolvConfFile, "nameserver 127.0.0.53\nsearch lab.example\n")
	r.write(resolvedFile, "nameserver 192.0.2.1\nnameserver 2001:db8::1\nsearch lab.example\n")
	r.open()
	s := r.receive()
	if resolver(s) != "192.0.2.1 2001:db8::1" || s.Resolver.DNSServers[0].Source != resolvedFile || !slices.Equal(values(s.Resolver.SearchDomains), []string{"lab.example"}) {
		t.Errorf("got %+v", s)
	}
	if err := r.source(resolvConfFile); err != nil {
		t.Error(err)
	}
	r.write(resolvedFile, "nameserver 192.0.2.2\n")
	r.until(func(s *State) bool { return resolver(s) == "192.0.2.2" })
	r.write(resolvConfFile, "nameserver 192.0.2.3\n") // it does not ask systemd-resolved any more
	r.until(func(s *State) bool { return resolver(s) == "192.0.2.3" })
	r.write(resolvConfFile, "nameserver 127.0.0.53\nsearch lab.example\n")
	r.must(os.Remove(r.path(resolvedFile)))
	r.until(func(s *State) bool { return resolver(s) == "" && len(s.Resolver.SearchDomains) == 1 })
	if err := r.source(resolvConfFile); !errors.Is(err, errNoServers) {
		t.Errorf("got %v", err)
	}
}

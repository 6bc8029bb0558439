package hostconf

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// A program that starts again, on a bus that stays, takes nothing back.
func TestProgramRestarts(t *testing.T) {
	r, b := resolvedRig(t)
	r.pace.grace = time.Hour
	r.open()
	r.receive()
	b.quit(getAll)
	b.owner(resolvedName, ":1.7", "")
	for !errors.Is(r.sourceOf("resolved", busSocket), fs.ErrNotExist) {
		if s := r.poll(); s != nil {
			t.Fatalf("meanwhile: %+v", s)
		}
	}
	b.resolve([]byte{192, 0, 2, 2})
	b.owner(resolvedName, "", ":1.8")
	if s := r.receive(); !seven(s, "192.0.2.2") {
		t.Errorf("got %+v", s)
	}
}

// What a program said is believed no longer when it hangs for good, and again when
// it goes on.
func TestProgramStops(t *testing.T) {
	r, b := resolvedRig(t)
	r.pace.patience = 50 * time.Millisecond
	r.open()
	r.receive()
	b.mute()
	b.resolvedChanged()
	r.until(func(s *State) bool { return seven(s) })
	if err := r.sourceOf("resolved", busSocket); !errors.Is(err, errSilent) {
		t.Errorf("source: %v", err)
	}
	b.speak()
	r.until(func(s *State) bool { return seven(s, "192.0.2.1") })
	if n := r.log.count(errSilent.Error()); n != 1 {
		t.Errorf("said %d times", n)
	}
}

// A dhcpcd that stops in the middle of a record is called again.
func TestDhcpcdStopsMidway(t *testing.T) {
	r := newRig(t)
	r.pace.patience, r.pace.grace = 50*time.Millisecond, time.Hour
	d := r.dhcpcd(bound("eth0", "192.0.2.1"))
	r.open()
	r.receive()
	d.mu.Lock()
	d.records = []string{bound("eth0", "192.0.2.2")}
	d.mu.Unlock()
	b := frame(bound("eth0", "192.0.2.3"))
	d.push(b[:len(b)/2])
	r.until(func(s *State) bool { return server4(s, "192.0.2.2") })
}

// Nonsense about one link takes nothing from another.
func TestNetworkdTalksNonsense(t *testing.T) {
	for name, answer := range map[string][]any{
		"nothing":    {},
		"a number":   {uint32(7)},
		"no JSON":    {"I do not know"},
		"cut":        {`{"DNS":[{"Address":[192,0,2,9],"ConfigSource":"DHCPv4"}`},
		"odd":        {`{"DNS":"192.0.2.9","Routes":7,"Addresses":{}}`},
		"deep":       {strings.Repeat("[", 100000)},
		"no numbers": {`{"DNS":[{"Address":[192,0,2,999],"ConfigSource":"DHCPv4"},{"Address":[1e99],"ConfigSource":"DHCPv4"}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			n := r.networkd()
			n.answer(networkdName+" DescribeLink", func(args []any) []any {
				if args[0].(int32) == 12 {
					return answer
				}
				return []any{fmt.Sprintf(`{"DNS":[{"Address":[192,0,2,%s],"ConfigSource":"DHCPv4"}]}`, n.servers[7])}
			})
			r.open()
			if s := r.receive(); !seven(s, "192.0.2.1") || len(s.ByIndex) != 1 {
				t.Errorf("at first: %+v", s)
			}
			n.set(7, "2")
			n.changed(networkdMark+"7", networkdName+".Link")
			r.until(func(s *State) bool { return seven(s, "192.0.2.2") })
		})
	}
}

// NetworkManager's objects are believed one by one, and only what is wanted is asked
// for: no connection's settings, no secrets. Nothing of other objects is told or said.
func TestNetworkManagerOddObjects(t *testing.T) {
	const secret = "correct horse"
	r := newRig(t)
	r.mkdir("/run/NetworkManager")
	b := r.bus()
	at := func(s string) dbus.ObjectPath { return dbus.ObjectPath("/org/freedesktop/NetworkManager/" + s) }
	one := func(iface string, all map[string]any) map[string]map[string]dbus.Variant {
		return map[string]map[string]dbus.Variant{nmName + "." + iface: variants(all)}
	}
	objects := nmHost("192.0.2.53")
	objects[at("Devices/3")] = one("Device", map[string]any{"Interface": uint32(3), "Ip4Config": "no path"})
	objects[at("Devices/4")] = one("Device", map[string]any{"Interface": "eth4", "Ip4Config": at("IP4Config/9"), "Dhcp4Config": at("DHCP4Config/9")})
	objects[at("IP4Config/9")] = one("IP4Config", map[string]any{"Gateway": int32(1), "Searches": "lab.example", "NameserverData": []string{"192.0.2.1"}})
	objects[at("DHCP4Config/9")] = one("DHCP4Config", map[string]any{"Options": variants(map[string]any{"domain_name_servers": uint32(7), "wpad": secret, "ntp_servers": true})})
	objects[at("Settings/1")] = one("Settings.Connection", map[string]any{"psk": secret, "Filename": secret})
	b.answer(nmObjectsOf, func([]any) []any {
		return []any{map[dbus.ObjectPath]map[string]map[string]dbus.Variant(objects)}
	})
	r.open()
	s := r.receive()
	if !server4(s, "192.0.2.53") || len(s.Links["eth0"]) != 4 {
		t.Errorf("the good device: %+v", s)
	}
	if text := fmt.Sprintf("%+v", s); strings.Contains(text, secret) {
		t.Errorf("told: %s", text)
	}
	b.quit(nmObjectsOf)
	b.changed("/org/freedesktop/NetworkManager/DHCP4Config/2", nmName+".DHCP4Config")
	r.until(func(s *State) bool { return len(s.Links) == 0 })
	if text := r.log.String(); strings.Contains(text, secret) || !strings.Contains(text, "NetworkManager") {
		t.Errorf("said: %s", text)
	}
	if len(b.methods()) < 3 {
		t.Errorf("called %q", b.methods())
	}
	for _, method := range b.methods() {
		if method != nmObjectsOf && !strings.HasPrefix(method, busName+" ") {
			t.Errorf("called %s", method)
		}
	}
}

// What must not be read is said, and the rest goes on.
func TestUnreadable(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root reads everything")
	}
	r := newRig(t)
	r.write(leasesFile, leaseWith("192.0.2.1"))
	r.must(os.Chmod(r.path(leasesFile), 0))
	r.write("/var/lib/dhcp/dhclient6.leases", lease6)
	r.open()
	if s := r.receive(); len(s.Links["eth0"]) != 1 || !server4(s, "") {
		t.Errorf("got %+v", s)
	}
	if err := r.source(dhclientFiles[0]); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("source: %v", err)
	}
	r.must(os.Chmod(r.path(leasesFile), 0o644))
	r.until(func(s *State) bool { return server4(s, "192.0.2.1") })
	if n := r.log.count("permission denied"); n != 1 {
		t.Errorf("said %d times", n)
	}
}

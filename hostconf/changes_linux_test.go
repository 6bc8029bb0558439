package hostconf

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestChanges(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(r *rig)
		want   string
	}{
		{"append", func(r *rig) {
			f, err := os.OpenFile(r.path(leasesFile), os.O_APPEND|os.O_WRONLY, 0)
			r.must(err)
			r.t.Cleanup(func() { f.Close() }) // dhclient keeps it open
			_, err = f.WriteString(leaseWith("192.0.2.2"))
			r.must(err)
		}, "192.0.2.2"},
		{"append in two steps", func(r *rig) {
			f, err := os.OpenFile(r.path(leasesFile), os.O_APPEND|os.O_WRONLY, 0)
			r.must(err)
			r.t.Cleanup(func() { f.Close() })
			text := leaseWith("192.0.2.2")
			for _, s := range []string{text[:len(text)/2], text[len(text)/2:]} {
				_, err = f.WriteString(s)
				r.must(err)
			}
		}, "192.0.2.2"},
		{"rename over", func(r *rig) { r.write(leasesFile, leaseWith("192.0.2.2")) }, "192.0.2.2"},
		{"delete", func(r *rig) { r.must(os.Remove(r.path(leasesFile))) }, ""},
		{"rename away", func(r *rig) { r.must(os.Rename(r.path(leasesFile), r.path("/elsewhere"))) }, ""},
		{"empty", func(r *rig) { r.must(os.Truncate(r.path(leasesFile), 0)) }, ""},
		{"directory renamed", func(r *rig) { r.must(os.Rename(r.path("/var/lib/dhcp"), r.path("/var/lib/was"))) }, ""},
		{"directory deleted", func(r *rig) { r.must(os.RemoveAll(r.path("/var/lib/dhcp"))) }, ""},
		{"second file of a longer lease", func(r *rig) {
			r.write("/var/lib/dhclient/dhclient.leases", strings.ReplaceAll(leaseWith("192.0.2.2"), "2099", "2100"))
		}, "192.0.2.2"},
		{"released", func(r *rig) {
			r.write(leasesFile, leaseWith("192.0.2.1")+"lease { interface \"eth0\"; released; option domain-name-servers 192.0.2.3; }")
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.write(leasesFile, leaseWith("192.0.2.1"))
			r.open()
			if s := r.receive(); !server4(s, "192.0.2.1") {
				t.Fatalf("at first: %+v", s)
			}
			c.change(r)
			r.until(func(s *State) bool { return server4(s, c.want) })
		})
	}
}

func TestDirectoriesCreatedLater(t *testing.T) {
	r := newRig(t)
	r.open()
	if s := r.receive(); len(s.Links)+len(s.ByIndex) != 0 || resolver(s) != "" {
		t.Fatalf("of nothing: %+v", s)
	}
	for _, dir := range []string{"/var", "/var/lib", "/var/lib/dhcp", "/etc", "/run/systemd"} {
		r.must(os.MkdirAll(r.path(dir), 0o755))
	}
	r.write(leasesFile, leaseWith("192.0.2.1"))
	r.until(func(s *State) bool { return server4(s, "192.0.2.1") })
	r.write("/run/systemd/netif/leases/3", networkdLease)
	r.until(func(s *State) bool { return len(s.ByIndex[3]) == 1 })
	r.write("/etc/resolv.conf", "nameserver 127.0.0.53\nsearch a.example")
	r.until(func(s *State) bool { return len(s.Resolver.SearchDomains) == 1 })
	if err := r.source(resolvConfFile); !errors.Is(err, errNoServers) {
		t.Errorf("source: %v", err)
	}
	r.write("/etc/resolv.conf", "nameserver 192.0.2.5")
	r.until(func(s *State) bool { return resolver(s) == "192.0.2.5" })
	r.must(os.RemoveAll(r.path("/var")))
	r.until(func(s *State) bool { return server4(s, "") })
	r.write(leasesFile, leaseWith("192.0.2.6"))
	r.until(func(s *State) bool { return server4(s, "192.0.2.6") })
}

func TestSymbolicLinks(t *testing.T) {
	r := newRig(t)
	link := func(target string) {
		r.must(os.MkdirAll(r.path("/etc"), 0o755))
		r.must(os.Symlink(target, r.path("/.link")))
		r.must(os.Rename(r.path("/.link"), r.path("/etc/resolv.conf")))
	}
	want := func(server string) {
		t.Helper()
		r.until(func(s *State) bool { return resolver(s) == server })
	}
	r.write("/run/a/resolv.conf", "nameserver 192.0.2.1")
	link("/run/a/resolv.conf")
	r.open()
	want("192.0.2.1")
	r.write("/run/a/resolv.conf", "nameserver 192.0.2.2") // what the link points to
	want("192.0.2.2")
	link("../run/b/resolv.conf") // the link, to what is not there yet
	want("")
	r.write("/run/b/resolv.conf", "nameserver 192.0.2.3")
	want("192.0.2.3")
	r.must(os.Rename(r.path("/run/b"), r.path("/run/c"))) // a directory becomes a link
	want("")
	r.must(os.Symlink("c", r.path("/run/b")))
	want("192.0.2.3")
	r.must(os.WriteFile(r.path("/run/c/resolv.conf"), []byte("nameserver 192.0.2.4"), 0o644)) // in place
	want("192.0.2.4")
	link("resolv.conf") // a loop
	want("")
	if err := r.source(resolvConfFile); !errors.Is(err, syscall.ELOOP) {
		t.Errorf("loop: %v", err)
	}
}

// Links lead nowhere but into the tree.
func TestLinksStayInside(t *testing.T) {
	r := newRig(t)
	outside := t.TempDir()
	r.must(os.WriteFile(filepath.Join(outside, "secret"), []byte("nameserver 192.0.2.66"), 0o644))
	r.must(os.Mkdir(r.path("/etc"), 0o755))
	r.must(os.Symlink(strings.Repeat("../", 40)+outside+"/secret", r.path("/etc/resolv.conf")))
	r.open()
	if s := r.receive(); resolver(s) != "" {
		t.Errorf("read %v", s.Resolver)
	}
	if err := r.source(resolvConfFile); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("source: %v", err)
	}
}

func TestOddFiles(t *testing.T) {
	r := newRig(t)
	r.write(leasesFile, leaseWith("192.0.2.1"))
	r.must(syscall.Mkfifo(r.path("/var/lib/dhcp/dhclient.pipe.leases"), 0o644))
	r.must(os.MkdirAll(r.path("/etc/resolv.conf"), 0o755))
	r.must(os.MkdirAll(r.path("/run"), 0o755))
	r.write("/run/systemd", "a file")
	r.open()
	if s := r.receive(); !server4(s, "192.0.2.1") {
		t.Errorf("got %+v", s)
	}
	for path, want := range map[string]error{dhclientFiles[0]: fs.ErrInvalid, resolvConfFile: fs.ErrInvalid, networkdFiles: syscall.ENOTDIR} {
		if err := r.source(path); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", path, err, want)
		}
	}
	r.must(os.Remove(r.path("/run/systemd")))
	r.write("/run/systemd/netif/leases/.#3", networkdLease)
	r.write("/run/systemd/netif/leases/0", networkdLease)
	r.write("/run/systemd/netif/leases/3", networkdLease)
	if s := r.until(func(s *State) bool { return len(s.ByIndex) > 0 }); len(s.ByIndex) != 1 || len(s.ByIndex[3]) != 1 {
		t.Errorf("got %+v", s.ByIndex)
	}
}

func TestLongFile(t *testing.T) {
	r := newRig(t)
	r.write(leasesFile, strings.Repeat(lease4, 2*maxFile/len(lease4))+leaseWith("192.0.2.2"))
	r.open()
	if s := r.receive(); !server4(s, "192.0.2.2") {
		t.Errorf("got %+v", s)
	}
}

package hostconf

import (
	"bufio"
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"
)

// How long it takes from a change until Receive returns it, beside floors: what one
// has to do at least to learn of it. Who makes the change, and answers when asked, is
// in this process, and the time that takes counts.
func BenchmarkChange(b *testing.B) {
	for _, c := range []struct {
		name    string
		prepare func(r *rig) contest
	}{
		{"file/floor", inotifyFloor},
		{"file/lease", leaseChange},
		{"file/resolv.conf", resolvConfChange},
		{"bus/floor", busFloor},
		{"bus/networkd", networkdChange},
		{"bus/NetworkManager", nmChange},
		{"bus/resolved", resolvedChange},
		{"socket/floor", socketFloor},
		{"socket/dhcpcd", dhcpcdChange},
	} {
		b.Run(c.name, func(b *testing.B) {
			r := newRig(b)
			c.prepare(r).run(b)
		})
	}
}

// A contest is what is measured: set prepares another state of things, strike makes
// it so, and receive returns when it is known.
type contest struct {
	set     func(server string)
	strike  func()
	receive func()
}

// run has a goroutine wait for each of the changes.
func (c contest) run(b *testing.B) {
	b.Helper()
	begin, arrived := make(chan struct{}), make(chan time.Time)
	go func() {
		for range begin {
			c.receive()
			arrived <- time.Now()
		}
	}()
	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		c.set([]string{"192.0.2.2", "192.0.2.1"}[i%2])
		begin <- struct{}{}
		start := time.Now()
		c.strike()
		took = append(took, (<-arrived).Sub(start))
	}
	close(begin)
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Nanoseconds()), "p50-ns")
	b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds()), "p99-ns")
}

// watched is a Watcher that has told its first state.
func watched(r *rig) func() {
	r.open()
	r.receive()
	return func() { r.receive() }
}

// exchange has a file written where nobody looks, and renamed.
func exchange(r *rig, name string, text func(server string) string) contest {
	r.write(name, text("192.0.2.1"))
	r.mkdir("/elsewhere")
	return contest{
		set:    func(server string) { r.must(os.WriteFile(r.path("/elsewhere/new"), []byte(text(server)), 0o644)) },
		strike: func() { r.must(os.Rename(r.path("/elsewhere/new"), r.path(name))) },
	}
}

func leaseChange(r *rig) contest {
	c := exchange(r, leasesFile, leaseWith)
	c.receive = watched(r)
	return c
}

func resolvConfChange(r *rig) contest {
	c := exchange(r, resolvConfFile, func(server string) string { return "nameserver " + server + "\n" })
	c.receive = watched(r)
	return c
}

// inotifyFloor waits for the file and reads it.
func inotifyFloor(r *rig) contest {
	c := exchange(r, leasesFile, leaseWith)
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	r.must(err)
	events := os.NewFile(uintptr(fd), "inotify")
	r.t.Cleanup(func() { events.Close() })
	_, err = unix.InotifyAddWatch(fd, filepath.Dir(r.path(leasesFile)), unix.IN_MOVED_TO)
	r.must(err)
	var buf [4096]byte
	c.receive = func() {
		_, err := events.Read(buf[:])
		r.must(err)
		_, err = os.ReadFile(r.path(leasesFile))
		r.must(err)
	}
	return c
}

func networkdChange(r *rig) contest {
	n := r.networkd()
	return contest{
		set:     func(server string) { n.set(7, server[len(server)-1:]) },
		strike:  func() { n.changed(networkdMark+"7", networkdName+".Link") },
		receive: watched(r),
	}
}

func nmChange(r *rig) contest {
	r.mkdir("/run/NetworkManager")
	b := r.bus()
	set := func(server string) {
		b.answer(nmObjectsOf, func([]any) []any {
			return []any{map[dbus.ObjectPath]map[string]map[string]dbus.Variant(nmHost(server))}
		})
	}
	set("192.0.2.1")
	return contest{
		set:     set,
		strike:  func() { b.changed("/org/freedesktop/NetworkManager/DHCP4Config/2", nmName+".DHCP4Config") },
		receive: watched(r),
	}
}

func resolvedChange(r *rig) contest {
	r.mkdir("/run/systemd/resolve")
	b := r.bus()
	set := func(server string) { b.resolve(addrs(server)[0].AsSlice()) }
	set("192.0.2.1")
	return contest{set: set, strike: b.resolvedChanged, receive: watched(r)}
}

// busFloor waits for a signal and calls one method.
func busFloor(r *rig) contest {
	f := r.bus()
	set := func(server string) { f.resolve(addrs(server)[0].AsSlice()) }
	r.must(os.Chdir(r.path("/run/dbus"))) // the path is too long for an address
	ctx, cancel := context.WithCancel(context.Background())
	c := &calls{ctx: ctx, dialer: func(context.Context) (net.Conn, error) { return net.Dial("unix", filepath.Base(busSocket)) }}
	r.t.Cleanup(func() { c.end(); cancel() })
	b, err := openBus(&line{pace: r.pace}, c, func(*dbus.Message) {})
	r.must(err)
	_, err = b.call(busName, "/org/freedesktop/DBus", busName, "AddMatch", properties(resolvedName, resolvedName+".Manager"))
	r.must(err)
	return contest{set: set, strike: f.resolvedChanged, receive: func() {
		r.must(b.wait())
		_, err := b.call(resolvedName, "/org/freedesktop/resolve1", "org.freedesktop.DBus.Properties", "GetAll", resolvedName+".Manager")
		r.must(err)
	}}
}

func dhcpcdChange(r *rig) contest {
	c, _ := push(r)
	c.receive = watched(r)
	return c
}

func push(r *rig) (contest, *fakeDhcpcd) {
	var next []byte
	d := r.dhcpcd(bound("eth0", "192.0.2.1"))
	return contest{
		set:    func(server string) { next = frame(bound("eth0", server)) },
		strike: func() { d.push(next) },
	}, d
}

// socketFloor reads what is pushed.
func socketFloor(r *rig) contest {
	c, d := push(r)
	r.must(os.Chdir(r.path("/run/dhcpcd")))
	conn, err := net.Dial("unix", filepath.Base(dhcpcdSocket))
	r.must(err)
	r.t.Cleanup(func() { conn.Close() })
	_, err = conn.Write([]byte("--listen\x00"))
	r.must(err)
	<-d.heard
	in := bufio.NewReader(conn)
	c.receive = func() {
		n, err := readSize(in, maxRecord)
		r.must(err)
		_, err = in.Discard(n)
		r.must(err)
	}
	return c
}

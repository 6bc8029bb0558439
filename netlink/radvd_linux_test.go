package netlink

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/go-mif/mif/pvd"
)

// A recording is what a router that knows the PvD option advertised by some
// configurations, and what these mean. The router was radvd with the extensions of
// github.com/IPv6-mPvD/radvd.
type recording struct {
	name     string
	configs  []string // one for each radvd
	packets  [][]byte // one of each, from the ICMPv6 header on
	meanings []string
}

func recordings(t *testing.T) (all []recording) {
	t.Helper()
	paths, err := filepath.Glob("testdata/radvd/*.conf")
	must(t, err)
	read := func(path, extension string) string {
		b, err := os.ReadFile(strings.TrimSuffix(path, ".conf") + extension)
		must(t, err)
		return strings.TrimSpace(string(b))
	}
	for _, path := range paths {
		r := recording{name: filepath.Base(strings.TrimSuffix(path, ".conf"))}
		r.configs = strings.Split(read(path, ".conf"), "# and another\n")
		r.meanings = strings.Split(read(path, ".txt"), "\n")
		for line := range strings.FieldsSeq(read(path, ".hex")) {
			b, err := hex.DecodeString(line)
			must(t, err)
			r.packets = append(r.packets, b)
		}
		all = append(all, r)
	}
	if len(all) == 0 {
		t.Fatal("no recordings")
	}
	return all
}

func meaningsOf(all []pvd.RA) (lines []string) {
	for i := range all {
		lines = append(lines, meaningOf(&all[i]))
	}
	slices.Sort(lines)
	return lines
}

// await waits until what is heard has the meaning of a recording.
func (c *cable) await(t *testing.T, r *recording) {
	t.Helper()
	var got []string
	defer func() {
		if t.Failed() {
			t.Logf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(r.meanings, "\n"))
		}
	}()
	c.picture.until(t, c.Watcher, func() bool {
		got = meaningsOf(c.facts().RAs)
		return slices.Equal(got, r.meanings)
	})
}

// TestRecordedRouter: what a router of others' making advertised, frame by frame on a
// link, is what its configuration says.
func TestRecordedRouter(t *testing.T) {
	for _, r := range recordings(t) {
		t.Run(r.name, func(t *testing.T) {
			c := newCable(t)
			for _, b := range r.packets {
				c.inject(t, b)
			}
			c.await(t, &r)
		})
	}
}

// TestLiveRouter: the same of a router that runs here. Debian's radvd knows no PvD
// option, so most of this needs one that does, named by RADVD.
func TestLiveRouter(t *testing.T) {
	for _, r := range recordings(t) {
		t.Run(r.name, func(t *testing.T) {
			c := newCable(t)
			c.remote.sysctl(t, "ipv6/conf/all/forwarding", "1")
			for _, config := range r.configs {
				c.radvd(t, config)
			}
			c.await(t, &r)
		})
	}
}

// radvd runs on the router until the test ends.
func (c *cable) radvd(t *testing.T, config string) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "radvd.conf")
	must(t, os.WriteFile(path, []byte(config), 0o600))
	var said bytes.Buffer
	cmd := exec.Command(understands(t, path), "-n", "-m", "stderr", "-C", path, "-p", filepath.Join(dir, "radvd.pid"))
	cmd.Stderr = &said
	c.remote.do(t, cmd.Start)
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Log(said.String())
		}
	})
}

// understands is a radvd that understands a configuration.
func understands(t *testing.T, config string) string {
	t.Helper()
	for _, name := range []string{os.Getenv("RADVD"), "radvd", "/usr/sbin/radvd"} {
		if path, err := exec.LookPath(name); err == nil && exec.Command(path, "-c", "-C", config).Run() == nil {
			return path
		}
	}
	t.Skip("no radvd that understands this configuration: none with PvD options is named by RADVD, or none is installed")
	return ""
}

// inject sends a packet as a frame from the router, as if by a wire.
func (c *cable) inject(t *testing.T, body []byte) {
	t.Helper()
	b := slices.Clone(body)
	all := [...]byte{0xff, 0x02, 15: 1}
	binary.BigEndian.PutUint16(b[2:], 0)
	pseudo := slices.Concat(c.router.AsSlice(), all[:], seconds(uint32(len(b))), []byte{0, 0, 0, unix.IPPROTO_ICMPV6}, b)
	binary.BigEndian.PutUint16(b[2:], internetChecksum(pseudo))
	head := binary.BigEndian.AppendUint16([]byte{0x60, 0, 0, 0}, uint16(len(b)))
	head = append(head, unix.IPPROTO_ICMPV6, 255)
	frame := slices.Concat([]byte{0x33, 0x33, 0, 0, 0, 1}, c.far.Attrs().HardwareAddr, []byte{0x86, 0xdd}, head, c.router.AsSlice(), all[:], b)
	c.remote.do(t, func() error {
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		return unix.Sendto(fd, frame, 0, &unix.SockaddrLinklayer{Ifindex: c.far.Attrs().Index, Halen: 6})
	})
}

// internetChecksum is RFC 1071's.
func internetChecksum(b []byte) uint16 {
	sum := uint32(0)
	for ; len(b) >= 2; b = b[2:] {
		sum += uint32(binary.BigEndian.Uint16(b))
	}
	if len(b) == 1 {
		sum += uint32(b[0]) << 8
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

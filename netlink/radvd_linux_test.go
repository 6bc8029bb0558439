package netlink

import (
	"bytes"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

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

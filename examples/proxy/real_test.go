package main

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/go-mif/mif/examples/internal/exampletest"
)

// A place is a host with a port of the proxy for each of two uplinks, and the same
// sites behind both.
type place struct {
	*running
	uplinks     []*exampletest.Uplink
	ports       []string // of the proxy
	certificate string   // a file, of the secure sites
	repository  string   // with one file, named hello

	sync.Mutex
	askers []netip.AddrPort // for files of the repository
}

// visit makes a place, if a client is installed.
func visit(t *testing.T, client string) *place {
	t.Helper()
	exampletest.Needs(t, client)
	n, all := exampletest.Sites(t)
	p := &place{uplinks: all, repository: t.TempDir()}
	web := http.NewServeMux()
	web.Handle("/", exampletest.Asker(t))
	web.Handle("/a.git/", http.StripPrefix("/a.git/", p.files()))
	for _, u := range all {
		p.certificate = exampletest.SecureSite(t, u, web) // the same of both
	}
	p.running = start(t, n.Host(), "-listen", "127.0.0.1:0="+all[0].PvD, "-listen", "127.0.0.1:0=eth1")
	for i, word := range []string{all[0].PvD, "eth1"} {
		address, ok := strings.CutSuffix(p.told[i], " for "+word)
		if !ok {
			t.Fatalf("it says %q", p.told)
		}
		p.ports = append(p.ports, address)
	}
	return p
}

func (p *place) files() http.Handler {
	files := http.FileServer(http.Dir(p.repository))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.Lock()
		p.askers = append(p.askers, netip.MustParseAddrPort(r.RemoteAddr))
		p.Unlock()
		files.ServeHTTP(w, r)
	})
}

// run runs a client in the host, with an environment of its own.
func (p *place) run(environment []string, command ...string) string {
	p.t.Helper()
	c := p.host.Command(command[0], command[1:]...)
	c.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + p.t.TempDir(), "LC_ALL=C"}, environment...)
	var errs strings.Builder
	c.Stderr = &errs
	out, err := c.Output()
	if err != nil {
		p.t.Errorf("%q: %v: %s%s", command, err, out, errs.String())
	}
	return string(out)
}

const secure = "https://" + exampletest.Name + "/"

func TestCurl(t *testing.T) {
	t.Parallel()
	p := visit(t, "curl")
	for i, port := range p.ports {
		other := p.uplinks[1-i]
		for _, c := range []struct {
			by   *exampletest.Uplink
			args []string
		}{
			{p.uplinks[i], []string{"-x", "socks5h://" + port, secure}},
			{p.uplinks[i], []string{"-x", "socks5://" + port, "--resolve", exampletest.Name + ":443:" + exampletest.Target.String(), secure}},
			{p.uplinks[i], []string{"-x", "http://" + port, secure}},
			{p.uplinks[i], []string{"-x", "http://" + port, "http://" + exampletest.Name}},
			{other, []string{"-x", "socks5h://" + strings.ReplaceAll(other.PvD, "/", "%2F") + ":x@" + port, secure}},
			{other, []string{"-x", "http://" + port, "--proxy-user", other.PvD + ":x", secure}},
			{other, []string{"-x", "http://" + port, "--proxy-user", other.PvD + ":x", "http://" + exampletest.Name}},
		} {
			out := p.run(nil, append([]string{"curl", "-sS", "-m", "30", "--cacert", p.certificate}, c.args...)...)
			exampletest.Came(t, c.by, strings.Join(c.args, " "), out)
		}
	}
	p.stop()
}

// datagram sends by PySocks, and prints what comes back.
const datagram = `
import socks, sys
s = socks.socksocket(socks.socket.AF_INET, socks.socket.SOCK_DGRAM)
s.set_proxy(socks.SOCKS5, "127.0.0.1", int(sys.argv[1]), username=sys.argv[2], password="x")
s.settimeout(20)
s.sendto(b"hello", (sys.argv[3], 7))
print(s.recvfrom(1000)[0].decode())
`

func TestPySocks(t *testing.T) {
	t.Parallel()
	const python = "/usr/bin/python3" // of the system, whose module it is
	p := visit(t, python)
	if err := exec.Command(python, "-c", "import socks").Run(); err != nil {
		t.Skip("needs PySocks")
	}
	for _, u := range p.uplinks {
		echo(t, u, netip.AddrPortFrom(exampletest.Target, 7))
	}
	for i, at := range p.ports {
		_, port, _ := strings.Cut(at, ":")
		for _, user := range []string{"", p.uplinks[1].PvD} {
			by := p.uplinks[i]
			if user != "" {
				by = p.uplinks[1]
			}
			for _, to := range []string{exampletest.Name, exampletest.Target.String()} {
				out := p.run(nil, python, "-c", datagram, port, user, to)
				exampletest.Came(t, by, user+" "+to, strings.TrimPrefix(out, "hello "))
			}
		}
	}
	p.stop()
}

func TestWget(t *testing.T) {
	t.Parallel()
	p := visit(t, "wget")
	for i, port := range p.ports {
		for _, url := range []string{secure, "http://" + exampletest.Name} {
			out := p.run([]string{"http_proxy=http://" + port, "https_proxy=http://" + port},
				"wget", "-q", "-T", "30", "-t", "1", "-O", "-", "--ca-certificate", p.certificate, url)
			exampletest.Came(t, p.uplinks[i], url, out)
		}
	}
	p.stop()
}

// A repository is cloned through each domain.
func TestGit(t *testing.T) {
	t.Parallel()
	p := visit(t, "git")
	git := func(args ...string) {
		t.Helper()
		p.run(nil, append([]string{"git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "safe.directory=*"}, args...)...)
	}
	tree := t.TempDir()
	must(t, os.WriteFile(filepath.Join(tree, "hello"), []byte("world"), 0o600))
	git("-C", tree, "init", "-q")
	git("-C", tree, "add", "hello")
	git("-C", tree, "commit", "-q", "-m", "a")
	git("clone", "-q", "--bare", tree, p.repository)
	git("-C", p.repository, "update-server-info")
	for i, port := range p.ports {
		for _, proxy := range []string{"socks5h://" + port, "http://" + port} {
			clone := filepath.Join(t.TempDir(), "clone")
			git("-c", "http.proxy="+proxy, "-c", "http.sslCAInfo="+p.certificate, "clone", "-q", secure+"a.git", clone)
			if b, err := os.ReadFile(filepath.Join(clone, "hello")); err != nil || string(b) != "world" {
				t.Errorf("%s: %q %v", proxy, b, err)
			}
			p.asked(i)
		}
	}
	p.stop()
}

// asked checks that there were requests since it last looked, all by one uplink.
func (p *place) asked(i int) {
	p.t.Helper()
	p.Lock()
	defer p.Unlock()
	if len(p.askers) == 0 {
		p.t.Error("nobody asked")
	}
	for _, a := range p.askers {
		if !p.uplinks[i].Peer.Contains(a.Addr()) {
			p.t.Errorf("%v asked, not of %v", a, p.uplinks[i].Peer)
		}
	}
	p.askers = nil
}

// A browser shows a page by each domain, by both protocols.
func TestChromium(t *testing.T) {
	t.Parallel()
	p := visit(t, "chromium")
	for i, port := range p.ports {
		for _, proxy := range []string{"socks5://" + port, "http://" + port} {
			page := p.run(nil, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
				"--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--disable-sync",
				"--user-data-dir="+t.TempDir(), "--proxy-server="+proxy, "--ignore-certificate-errors-spki-list="+p.key(),
				"--dump-dom", secure)
			exampletest.Came(t, p.uplinks[i], "chromium by "+proxy, tags.ReplaceAllString(page, " "))
		}
	}
	p.stop()
}

var tags = regexp.MustCompile(`<[^>]*>`)

// key is the hash of the secure sites' public key, as Chromium takes it for trusted.
func (p *place) key() string {
	b, err := os.ReadFile(p.certificate)
	must(p.t, err)
	block, _ := pem.Decode(b)
	c, err := x509.ParseCertificate(block.Bytes)
	must(p.t, err)
	sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return base64.StdEncoding.EncodeToString(sum[:])
}

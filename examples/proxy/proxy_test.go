package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-mif/mif/examples/internal/exampletest"
	"github.com/go-mif/mif/miftest"
)

func TestMain(m *testing.M) { exampletest.Main(m, main) }

func TestManners(t *testing.T) {
	t.Parallel()
	exampletest.Manners(t, "proxy", map[string][]string{
		"not defined: -x":       {"-x"},
		"one argument too many": {"eth0"},
		"nobody":                {"-clients", "0"},
		"that is no time":       {"-idle", "0s"},
		"missing port":          {"-listen", "127.0.0.1"},
		"no domain is named":    {"-listen", "127.0.0.1:0="},
	})
}

// limit bounds what should never take long.
const limit = 30 * time.Second

// A running is a proxy under way.
type running struct {
	t       *testing.T
	host    *miftest.Host
	cmd     *miftest.Cmd
	told    []string // the first lines
	address string   // of the first

	sync.Mutex
	log   strings.Builder
	heard *sync.Cond
	ended bool
}

// start starts a proxy, on a free port and without grace unless the arguments say other.
func start(t *testing.T, h *miftest.Host, args ...string) *running {
	t.Helper()
	const flag = "-listen"
	if !slices.Contains(args, flag) {
		args = append(args, flag, "127.0.0.1:0")
	}
	args = append([]string{"-grace", "0s"}, args...)
	p := &running{t: t, host: h, cmd: exampletest.In(h, args...)}
	p.heard = sync.NewCond(p)
	out, err := p.cmd.StdoutPipe()
	must(t, err)
	p.cmd.Cmd.Stderr = p.cmd.Cmd.Stdout
	must(t, p.cmd.Start())
	t.Cleanup(func() { p.cmd.Process.Kill() })
	lines := bufio.NewScanner(out)
	for range strings.Count(strings.Join(args, " "), flag) {
		lines.Scan()
		p.told = append(p.told, strings.TrimPrefix(lines.Text(), "listening on "))
	}
	p.address, _, _ = strings.Cut(p.told[0], " ")
	go p.read(lines)
	return p
}

func (p *running) read(lines *bufio.Scanner) {
	for ok := true; ok; {
		ok = lines.Scan()
		p.Lock()
		p.log.WriteString(lines.Text() + "\n")
		p.ended = !ok
		p.heard.Broadcast()
		p.Unlock()
	}
}

// await waits until the log says something.
func (p *running) await(what string) {
	p.t.Helper()
	timer := time.AfterFunc(limit, func() { p.cmd.Process.Kill() })
	defer timer.Stop()
	p.Lock()
	defer p.Unlock()
	for !strings.Contains(p.log.String(), what) {
		if p.ended {
			p.t.Fatalf("the log does not say %q:\n%s", what, p.log.String())
		}
		p.heard.Wait()
	}
}

// stop interrupts the proxy, and wants it to end well.
func (p *running) stop() {
	p.t.Helper()
	must(p.t, p.cmd.Process.Signal(syscall.SIGINT))
	p.await("msg=stopped")
	must(p.t, p.cmd.Wait())
}

func (p *running) dial() net.Conn {
	p.t.Helper()
	c, err := exampletest.Dial(p.host, p.address)
	must(p.t, err)
	p.t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(limit))
	return c
}

// client is an HTTP client that uses the proxy by a scheme, as a user.
func (p *running) client(scheme, user string) *http.Client {
	u := &url.URL{Scheme: scheme, Host: p.address}
	if user != "" {
		u.User = url.UserPassword(user, "x")
	}
	return &http.Client{Timeout: limit, Transport: &http.Transport{
		Proxy:             http.ProxyURL(u),
		DisableKeepAlives: true,
		DialContext:       func(_ context.Context, _, a string) (net.Conn, error) { return exampletest.Dial(p.host, a) },
	}}
}

// Every way to ask for a domain, by names that only the domains know.
func TestDomains(t *testing.T) {
	t.Parallel()
	n, all := exampletest.Sites(t)
	p := start(t, n.Host(), "-pvd", "eth1")
	for _, c := range []struct {
		scheme, user string
		by           int
	}{
		{"socks5h", "", 1}, {"socks5h", "eth0", 0}, {"socks5h", "eth0/ipv4", 0},
		{"http", "", 1}, {"http", "eth0", 0}, {"http", "eth1/ipv4", 1},
	} {
		r, err := p.client(c.scheme, c.user).Post("http://"+exampletest.Name, "text/plain", strings.NewReader("hello"))
		must(t, err)
		b, _ := io.ReadAll(r.Body)
		r.Body.Close()
		exampletest.Came(t, all[c.by], c.scheme+" "+c.user, string(b))
		if !strings.HasSuffix(string(b), " hello") {
			t.Errorf("the body was %q", b)
		}
	}
	p.stop()
}

// Without a word for it each domain may win, and one that is dead does not.
func TestRaced(t *testing.T) {
	t.Parallel()
	n, all := exampletest.Sites(t)
	p := start(t, n.Host())
	must(t, all[0].Die())
	r, err := p.client("socks5h", "").Get("http://" + exampletest.Name)
	must(t, err)
	b, _ := io.ReadAll(r.Body)
	r.Body.Close()
	exampletest.Came(t, all[1], "raced", string(b))
	p.stop()
}

// A port for a domain that is not there is told, and serves when that has come.
func TestDomainLater(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	exampletest.AddUplink(t, n, 0)
	p := start(t, n.Host(), "-listen", "127.0.0.1:0=eth1", "-listen", "127.0.0.1:0=eth0")
	p.await(`msg="there is no such domain yet" domain=eth1`)
	if _, err := p.client("http", "").Get("http://" + exampletest.Name); err != nil {
		t.Fatal(err)
	}
	p.await(`no provisioning domain \"eth1\"`)
	u := exampletest.AddUplink(t, n, 1)
	exampletest.Site(t, u)
	var answer string
	for deadline := time.Now().Add(limit); answer == "" && time.Now().Before(deadline); {
		r, err := p.client("http", "").Get("http://" + exampletest.Name)
		must(t, err)
		if b, _ := io.ReadAll(r.Body); r.StatusCode == http.StatusOK {
			answer = string(b)
		}
		r.Body.Close()
	}
	exampletest.Came(t, u, "later", answer)
	p.Lock()
	defer p.Unlock()
	if strings.Contains(p.log.String(), "domain=eth0") {
		t.Error("eth0 is said to be missing")
	}
}

// On a host with one plain uplink nothing has to be said of domains.
func TestPlainUplink(t *testing.T) {
	t.Parallel()
	n, u := exampletest.Plain(t)
	p := start(t, n.Host())
	for _, scheme := range []string{"socks5h", "http"} {
		r, err := p.client(scheme, "").Get("http://" + exampletest.Name)
		must(t, err)
		b, _ := io.ReadAll(r.Body)
		r.Body.Close()
		exampletest.Came(t, u, scheme, string(b))
	}
	p.stop()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

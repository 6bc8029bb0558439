package connect

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// The test binary runs itself again in user, network, mount and pid namespaces of
// its own, as root or as anybody. rigError is why that could not be done; tests
// that need it are then skipped with that reason and the others still run.
var rigError error

const rigEnv = "CONNECT_TEST_RIG"

func TestMain(m *testing.M) {
	if os.Getenv(rigEnv) == "" {
		code, err := runInside()
		if err == nil {
			os.Exit(code)
		}
		rigError = err
	}
	code := m.Run()
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Println(err)
		code = 1
	}
	os.Exit(code)
}

func runInside() (int, error) {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), rigEnv+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
		Pdeathsig:   syscall.SIGKILL,
	}
	err := cmd.Run()
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		return e.ExitCode(), nil
	}
	return 0, err
}

func needRig(t testing.TB) {
	t.Helper()
	if rigError != nil {
		t.Skip("no user and network namespaces here:", rigError)
	}
}

// A node is a network namespace, held by a descriptor alone.
type node struct {
	t  testing.TB
	fd int
	h  *netlink.Handle
}

func newNode(t testing.TB) *node {
	n := &node{t: t}
	done := make(chan error)
	go func() { // its thread stays in the new namespace and ends with it
		runtime.LockOSThread()
		done <- n.unshare()
	}()
	n.must(<-done)
	t.Cleanup(func() { n.h.Close(); unix.Close(n.fd) })
	for _, scope := range []string{"all", "default"} {
		n.sysctl("net/ipv6/conf/"+scope+"/accept_dad", "0")
		n.sysctl("net/ipv6/conf/"+scope+"/accept_ra", "0")
	}
	n.up("lo")
	return n
}

func (n *node) unshare() (err error) {
	if err = unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return err
	}
	if n.fd, err = unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
		return err
	}
	n.h, err = netlink.NewHandle(unix.NETLINK_ROUTE)
	return err
}

func (n *node) must(err error) {
	n.t.Helper()
	if err != nil {
		n.t.Fatal(err)
	}
}

// path names the namespace for Dialer.NetNS.
func (n *node) path() string { return fmt.Sprintf("/proc/self/fd/%d", n.fd) }

// do runs f on a thread that is in the namespace.
func (n *node) do(f func()) {
	n.t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := unix.Setns(n.fd, unix.CLONE_NEWNET)
		if err == nil {
			f()
		}
		done <- err
	}()
	n.must(<-done)
}

func (n *node) sysctl(key, value string) {
	n.t.Helper()
	var err error
	n.do(func() { err = os.WriteFile("/proc/sys/"+key, []byte(value), 0) })
	n.must(err)
}

func (n *node) link(name string) netlink.Link {
	n.t.Helper()
	l, err := n.h.LinkByName(name)
	n.must(err)
	return l
}

func (n *node) up(name string)   { n.t.Helper(); n.must(n.h.LinkSetUp(n.link(name))) }
func (n *node) down(name string) { n.t.Helper(); n.must(n.h.LinkSetDown(n.link(name))) }

func (n *node) index(name string) int { n.t.Helper(); return n.link(name).Attrs().Index }

func (n *node) addr(name string, prefixes ...string) {
	n.t.Helper()
	for _, p := range prefixes {
		n.must(n.h.AddrAdd(n.link(name), ipAddr(p)))
	}
	n.awaitUsable(name)
}

// awaitUsable waits until no address of the link is tentative. Even without
// duplicate address detection that takes the kernel a moment.
func (n *node) awaitUsable(name string) {
	n.t.Helper()
	n.await("addresses usable", func() bool {
		as, err := n.h.AddrList(n.link(name), netlink.FAMILY_V6)
		n.must(err)
		return !slices.ContainsFunc(as, func(a netlink.Addr) bool { return a.Flags&unix.IFA_F_TENTATIVE != 0 })
	})
}

// await polls for a condition.
func (n *node) await(what string, holds func() bool) {
	n.t.Helper()
	for end := time.Now().Add(safetyNet); !holds(); runtime.Gosched() {
		if time.Now().After(end) {
			n.t.Fatal("waited in vain: ", what)
		}
	}
}

func ipAddr(prefix string) *netlink.Addr {
	p := netip.MustParsePrefix(prefix)
	return &netlink.Addr{IPNet: ipNet(p)}
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// route adds a route by a router on a link; either may be empty.
func (n *node) route(dst, via, dev string, change ...func(*netlink.Route)) {
	n.t.Helper()
	r := &netlink.Route{Dst: ipNet(netip.MustParsePrefix(dst))}
	if via != "" {
		r.Gw = netip.MustParseAddr(via).AsSlice()
	}
	if dev != "" {
		r.LinkIndex = n.index(dev)
	}
	for _, f := range change {
		f(r)
	}
	n.must(n.h.RouteAdd(r))
}

func metric(m int) func(*netlink.Route)    { return func(r *netlink.Route) { r.Priority = m } }
func table(n int) func(*netlink.Route)     { return func(r *netlink.Route) { r.Table = n } }
func kind(k int) func(*netlink.Route)      { return func(r *netlink.Route) { r.Type = k } }
func scopeLinkRoute(r *netlink.Route)      { r.Scope = netlink.SCOPE_LINK }
func (n *node) ruleFrom(src string, t int) { n.rule(src, t, 1000) }

func (n *node) rule(src string, table, priority int) {
	n.t.Helper()
	p := netip.MustParsePrefix(src)
	r := netlink.NewRule()
	r.Src, r.Table, r.Priority, r.Family = ipNet(p), table, priority, unix.AF_INET
	if p.Addr().Is6() {
		r.Family = unix.AF_INET6
	}
	n.must(n.h.RuleAdd(r))
}

var nextIndex atomic.Int32

// veth joins two nodes. Its ends get different indexes: with equal ones the kernel
// takes a second longer to see the carrier.
func veth(a *node, an string, b *node, bn string) {
	a.t.Helper()
	la := netlink.LinkAttrs{Name: an, Index: 100 + int(nextIndex.Add(1))}
	a.must(a.h.LinkAdd(&netlink.Veth{LinkAttrs: la, PeerName: bn, PeerNamespace: netlink.NsFd(b.fd)}))
	a.up(an)
	b.up(bn)
}

func routeTo(a netip.Addr, via string) *netlink.Route {
	return &netlink.Route{Dst: ipNet(netip.PrefixFrom(a, a.BitLen())), Gw: netip.MustParseAddr(via).AsSlice()}
}

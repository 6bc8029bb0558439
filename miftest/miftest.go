// Package miftest is a multi-homed host inside a test: a host with any number
// of links, routers that send router advertisements, serve DHCPv4, DHCPv6, DNS and
// TCP, and verbs for the faults of real networks. It needs Linux, no root and
// no installed program: everything lives in namespaces made by the process
// itself and is gone when the process ends, however it ends; a killed one
// leaves the directory of Host.Root behind.
//
//	func TestMain(m *testing.M) { miftest.Main(m) }
//
//	func TestSomething(t *testing.T) {
//		n := miftest.New(t)
//		r := n.Router(t, miftest.RouterConfig{
//			Interface: "eth0",
//			RA:        miftest.NewRA(netip.MustParsePrefix("2001:db8:1::/64")),
//		})
//		... n.Host().Do(...), r.CablePull()
//	}
//
// A program calls Enter first thing in main and Start instead of New.
//
// Every method may be called from any goroutine. A Net starts goroutines for
// its services; Close ends them all and returns when they have ended.
//
// Limits. Duplicate address detection is off and addresses are formed by
// EUI-64, so that a link is usable within milliseconds and its addresses are
// known beforehand; Host.Sysctl turns either back before a link is added. The
// links carry every packet at once, except that a fault verb was used or
// Router.SetPath makes packets late or loses some; there is no rate limit. /sys is not
// changed: it shows the interfaces of the process's first namespace. Several
// Nets of one process are independent of each other.
//
// Off Linux everything compiles, and Enter and Start return an error wrapping
// errors.ErrUnsupported.
package miftest

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
)

// The environment carries the two facts that must outlive an exec: that the
// process is inside, and, for New, why it is not.
const (
	insideVariable = "MIFTEST_INSIDE"
	reasonVariable = "MIFTEST_REASON"
)

// Main runs the tests of a package inside namespaces of their own: it executes
// the test binary again in new user, network, mount and process namespaces and
// exits with its status. Where such namespaces cannot be made the tests run
// where they are, and New skips each test that needs them, naming the reason.
// Call it from TestMain; it does not return.
func Main(m *testing.M) { MainThen(m, nil) }

// MainThen is Main with a last step: after gets the status of the tests and
// returns the status of the process. Its place is for leak checks.
func MainThen(m *testing.M, after func(code int) int) {
	if err := enter(); err != nil {
		os.Setenv(reasonVariable, err.Error())
	}
	code := m.Run()
	if after != nil {
		code = after(code)
	}
	os.Exit(code)
}

// Enter executes the running program again, with the same arguments, in new
// user, network, mount and process namespaces, and returns nil there. The outer
// process does not return: it passes signals on and exits with the inner one's
// status. When the namespaces cannot be made, Enter returns, and the error says
// what is in the way and what to do about it. Inside, Enter does nothing.
//
// Call it before anything that must not happen twice.
func Enter() error { return enter() }

// Inside reports whether the process, or one that started it, has entered
// namespaces by Main or Enter.
func Inside() bool { return os.Getenv(insideVariable) == "1" }

// A Net is one multi-homed host, its links, and the routers on them.
type Net struct {
	host *Host

	mu      sync.Mutex
	links   map[string]*link // by the host's name for it
	routers []*Router
	sink    *namespace // far ends of the links that have no router
	serial  int        // of links and routers, for addresses and indexes
	closed  bool
}

// New returns a Net with a host that has no links yet, closed when the test
// ends. It skips the test, naming the reason, when the process is not Inside.
func New(t testing.TB) *Net {
	t.Helper()
	if !Inside() {
		t.Skip(cmp.Or(os.Getenv(reasonVariable), "miftest: TestMain does not call miftest.Main"))
	}
	n, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

// Start is New for programs: the caller closes the Net.
func Start() (*Net, error) {
	h, err := newHost()
	if err != nil {
		return nil, err
	}
	n := &Net{host: h, links: map[string]*link{}}
	h.net = n
	return n, nil
}

// Host returns the multi-homed host.
func (n *Net) Host() *Host { return n.host }

// Close ends every service, waits for their goroutines and gives the
// namespaces back. Processes started by Host.Command are the caller's to end.
// Closing again does nothing.
func (n *Net) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil
	}
	n.closed = true
	var errs []error
	for _, r := range n.routers {
		errs = append(errs, r.close())
	}
	if n.sink != nil {
		errs = append(errs, n.sink.close())
	}
	errs = append(errs, n.host.ns.close(), os.RemoveAll(n.host.root))
	return errors.Join(errs...)
}

// take returns the next serial number. n.mu is held.
func (n *Net) take() (int, error) {
	if n.closed {
		return 0, fmt.Errorf("miftest: %w", os.ErrClosed)
	}
	n.serial++
	return n.serial, nil
}

//go:build !linux

package miftest

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"
)

// Off Linux there is no namespace, and thus no Net: newNamespace fails, and
// nothing else here is ever reached.

var errNotLinux = fmt.Errorf("miftest: network namespaces: %w", errors.ErrUnsupported)

const (
	farIndex = 1 << 20
	etherAll = 3
)

func enter() error { return errNotLinux }

func dropCapabilities() error { return errNotLinux }

func listenOn(string, string, string) (net.PacketConn, error) { return nil, errNotLinux }

type namespace struct{}

func newNamespace() (*namespace, error) { return nil, errNotLinux }

func (*namespace) close() error                          { return errNotLinux }
func (*namespace) path() string                          { return "" }
func (*namespace) do(func() error) error                 { return errNotLinux }
func (*namespace) sysctl(string, string) error           { return errNotLinux }
func (*namespace) setUp(string) error                    { return errNotLinux }
func (*namespace) setDown(string) error                  { return errNotLinux }
func (*namespace) remove(string) error                   { return errNotLinux }
func (*namespace) index(string) (int, error)             { return 0, errNotLinux }
func (*namespace) running(string) (bool, error)          { return false, errNotLinux }
func (*namespace) delAddress(string, netip.Prefix) error { return errNotLinux }
func (*namespace) delAllAddresses(string) error          { return errNotLinux }
func (*namespace) setRoute(Route) error                  { return errNotLinux }
func (*namespace) delRoute(Route) error                  { return errNotLinux }

func (*namespace) openTUN() (*os.File, error) { return nil, errNotLinux }
func (*namespace) divert(netip.Prefix) error  { return errNotLinux }

func (*namespace) usable(string, netip.Addr) (bool, error) { return false, errNotLinux }

func (*namespace) hardwareAddr(string) (net.HardwareAddr, error) { return nil, errNotLinux }

func (*namespace) setAddress(string, netip.Prefix, time.Duration, time.Duration) error {
	return errNotLinux
}

func (*namespace) openPacket(int, uint16) (*packetSocket, error) { return nil, errNotLinux }

type end struct {
	ns    *namespace
	name  string
	index int
	mac   net.HardwareAddr
}

func addVeth(_, _ end) error    { return errNotLinux }
func addMacvlan(_, _ end) error { return errNotLinux }

type packetSocket struct{}

func (*packetSocket) Close() error                   { return errNotLinux }
func (*packetSocket) write([]byte) error             { return errNotLinux }
func (*packetSocket) read(time.Time) ([]byte, error) { return nil, errNotLinux }
func (*packetSocket) next() (Packet, uint8, bool)    { return Packet{}, 0, false }
func (*packetSocket) each(func())                    {}
func (*packetSocket) lost() int                      { return 0 }

//go:build !linux

package connect

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"syscall"
)

var errUnsupported = fmt.Errorf("binding to a domain on %s: %w", runtime.GOOS, errors.ErrUnsupported)

type kernel struct{ netns string }

func (kernel) route(query) (hop, error)          { return hop{}, errUnsupported }
func (kernel) reachable() error                  { return errUnsupported }
func (kernel) silent(netip.Addr, int) bool       { return false }
func (kernel) interfaceName(int) (string, error) { return "", errUnsupported }

type socket struct {
	kernel    kernel
	iface     int
	source    netip.Addr
	transport string
	ipv6      bool
	options
}

func (*socket) control(string, string, syscall.RawConn) error { return errUnsupported }
func (*socket) settle(net.Conn) error                         { return errUnsupported }
func (*socket) heard(err error) error                         { return err }
func (*socket) forget()                                       {}

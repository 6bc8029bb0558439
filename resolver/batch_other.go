//go:build !linux

package resolver

import "net"

// A port is there on Linux only.
type port struct{}

func (*Resolver) portOf(net.Conn) *port { return nil }

func (*port) read(func(b []byte, cut bool) bool) error { return nil }

func (*port) write([]*waiter) error { return nil }

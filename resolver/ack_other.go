//go:build !linux

package resolver

import "net"

// promptly leaves it to the kernel when to acknowledge.
func promptly(conn net.Conn) net.Conn { return conn }

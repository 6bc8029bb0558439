//go:build !linux

package resolver

import (
	"net"
	"time"
)

// cpu gives nothing: the benchmarks are run on Linux.
func cpu() time.Duration { return 0 }

func boundDialer() *net.Dialer { return new(net.Dialer) }

func deepen(pc *net.UDPConn) { _ = pc.SetReadBuffer(8 << 20) }

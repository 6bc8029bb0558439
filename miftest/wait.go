package miftest

import (
	"fmt"
	"net/netip"
	"os"
	"time"
)

// patience bounds every wait for the kernel. It is reached only when something
// is broken.
const patience = 10 * time.Second

// awaitRunning waits until the kernel has acted on a change of the carrier.
func (n *namespace) awaitRunning(name string, want bool) error {
	return eventually(name+" to change its carrier", func() (bool, error) {
		is, err := n.running(name)
		return is == want, err
	})
}

// eventually waits until condition holds.
func eventually(what string, condition func() (bool, error)) error {
	t := time.NewTicker(200 * time.Microsecond)
	defer t.Stop()
	for deadline := time.Now().Add(patience); ; <-t.C {
		ok, err := condition()
		if ok || err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("miftest: waited %v for %s: %w", patience, what, os.ErrDeadlineExceeded)
		}
	}
}

// give adds or changes an address and waits until packets reach it, unless the
// interface has no carrier. Lifetimes are as in setAddress.
func (n *namespace) give(ifname string, p netip.Prefix, preferred, valid time.Duration) error {
	if err := n.setAddress(ifname, p, preferred, valid); err != nil {
		return err
	}
	return eventually(p.String()+" on "+ifname, func() (bool, error) {
		if ifname != "lo" {
			if carries, err := n.running(ifname); !carries {
				return true, err
			}
		}
		return n.usable(ifname, p.Addr())
	})
}

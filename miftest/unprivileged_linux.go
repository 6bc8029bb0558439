package miftest

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Bits of PR_SET_SECUREBITS (capabilities(7)), each with its lock: the user ID
// 0 gives no capability at exec or setuid, and none can be made ambient.
const secureBits = 1<<0 | 1<<1 | 1<<2 | 1<<3 | 1<<5 | 1<<6 | 1<<7

// dropCapabilities takes every capability from the calling thread and from
// whatever it starts, for good.
func dropCapabilities() error {
	if err := unix.Prctl(unix.PR_SET_SECUREBITS, secureBits, 0, 0, 0); err != nil {
		return fmt.Errorf("miftest: setting secure bits: %w", err)
	}
	for c := uintptr(0); ; c++ {
		err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0)
		if errors.Is(err, unix.EINVAL) {
			break // past the last capability this kernel has
		}
		if err != nil {
			return fmt.Errorf("miftest: dropping capability %d: %w", c, err)
		}
	}
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return fmt.Errorf("miftest: clearing ambient capabilities: %w", err)
	}
	var none [2]unix.CapUserData
	if err := unix.Capset(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &none[0]); err != nil {
		return fmt.Errorf("miftest: dropping capabilities: %w", err)
	}
	return nil
}

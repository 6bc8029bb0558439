package hostconf

import (
	"time"

	"golang.org/x/sys/unix"
)

// bootTime is when the host was started, as its clock has it now.
func bootTime() time.Time {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &t) != nil { // as no kernel does
		return time.Time{}
	}
	return time.Now().Add(-time.Duration(t.Nano()))
}

//go:build !linux

package hostconf

import "time"

func bootTime() time.Time { return time.Time{} }

//go:build !linux

package hostconf

import (
	"errors"
	"fmt"
)

func newNotifier(string) (notifier, error) {
	return nil, fmt.Errorf("hostconf: not on this system: %w", errors.ErrUnsupported)
}

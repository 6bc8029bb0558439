//go:build !linux

package netlink

import (
	"errors"
	"fmt"
	"time"
)

// A Watcher watches the kernel of a Linux host. Elsewhere there is none.
type Watcher struct{}

// Open fails: there is no route socket here.
func Open(*Config) (*Watcher, error) { return nil, unsupported() }

// Receive fails.
func (*Watcher) Receive(time.Time) (Changes, error) { return Changes{}, unsupported() }

// Interrupt does nothing.
func (*Watcher) Interrupt() {}

// Advertisements fails.
func (*Watcher) Advertisements() error { return unsupported() }

// Generation is 1.
func (*Watcher) Generation() uint64 { return 1 }

// Close does nothing.
func (*Watcher) Close() error { return nil }

func unsupported() error { return fmt.Errorf("netlink: open: %w", errors.ErrUnsupported) }

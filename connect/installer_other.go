//go:build !linux

package connect

import "fmt"

// An Installer makes a Linux host route by source. On other systems there is none.
type Installer struct{}

// OpenInstaller fails with an error that wraps [errors.ErrUnsupported].
func OpenInstaller(netns string) (*Installer, error) {
	return nil, fmt.Errorf("connect: installer: %w", errUnsupported)
}

// Install does nothing.
func (*Installer) Install(domains []Domain) error { return errUnsupported }

// Close does nothing.
func (*Installer) Close() error { return nil }

//go:build !linux

package dhcp

import "errors"

func openSocket(string) (socket, error) { return nil, errors.ErrUnsupported }

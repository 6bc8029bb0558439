//go:build !linux

package mif

import "errors"

func newWaiter() (waiter, error) { return nil, errors.ErrUnsupported }

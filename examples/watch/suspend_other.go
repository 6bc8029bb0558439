//go:build !linux

package main

import (
	"errors"
	"os"
)

// The library watches only Linux, so there is no table to suspend.

func suspensions() (<-chan os.Signal, func()) { return nil, func() {} }

func suspendAll() error { return errors.ErrUnsupported }

func halt() error { return errors.ErrUnsupported }

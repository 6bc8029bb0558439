//go:build !linux

package main

import (
	"errors"
	"os"
)

// A mode is nothing here: the library watches only Linux, so there is no table to show.
type mode struct{}

func isTerminal(*os.File) bool { return false }

func measure(*os.File) size { return size{} }

func (*mode) hush(*os.File) error { return errors.ErrUnsupported }

func (*mode) restore(*os.File) error { return errors.ErrUnsupported }

func (*terminal) signals() (<-chan os.Signal, func()) { return nil, func() {} }

func (*terminal) obey(os.Signal) error { return errors.ErrUnsupported }

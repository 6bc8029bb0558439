//go:build !unix

package main

import "os"

// passed are the signals that are passed on.
var passed = []os.Signal{os.Interrupt}

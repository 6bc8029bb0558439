//go:build !linux

package miftest_test

import (
	"errors"
	"testing"

	"github.com/go-mif/mif/miftest"
)

func TestUnsupported(t *testing.T) {
	if _, err := miftest.Start(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Start: %v", err)
	}
	if err := miftest.Enter(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Enter: %v", err)
	}
}

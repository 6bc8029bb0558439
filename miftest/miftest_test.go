package miftest_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/go-mif/mif/miftest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	miftest.MainThen(m, func(code int) int {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return code
	})
}

package dhcp

import (
	"testing"

	"github.com/go-mif/mif/miftest"
	"go.uber.org/goleak"
)

// The tests run in a user and network namespace of their own, as root or not.
func TestMain(m *testing.M) {
	miftest.MainThen(m, func(code int) int {
		if err := goleak.Find(); err != nil && code == 0 {
			println(err.Error())
			return 1
		}
		return code
	})
}

package interop

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/go-mif/mif/miftest"
)

func TestMain(m *testing.M) {
	miftest.MainThen(m, func(code int) int {
		for _, dir := range built.dirs {
			os.RemoveAll(dir)
		}
		if err := goleak.Find(); err != nil && code == 0 {
			println(err.Error())
			return 1
		}
		return code
	})
}

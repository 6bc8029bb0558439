package happyeyeballs

import (
	"flag"
	"testing"

	"github.com/go-mif/mif/miftest"
	"go.uber.org/goleak"
)

// withPeers has the tables printed, and other dialers run beside, which takes a minute.
var withPeers = flag.String("peers", "", "print the tables of docs/happyeyeballs.md, with the peers of this `program` beside: happyeyeballs/peers, built")

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

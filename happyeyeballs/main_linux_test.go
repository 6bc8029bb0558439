package happyeyeballs

import (
	"flag"
	"os"
	"testing"

	"github.com/go-mif/mif/miftest"
	"go.uber.org/goleak"
)

// withPeers also runs net.Dialer, which takes half a minute.
var withPeers = flag.Bool("peers", false, "run net.Dialer beside, and print the table of docs/happyeyeballs.md")

// The tests run in a user and network namespace of their own, as root or not.
func TestMain(m *testing.M) {
	if what := os.Getenv(peerEnv); what != "" {
		runPeer(what)
		return
	}
	miftest.MainThen(m, func(code int) int {
		if err := goleak.Find(); err != nil && code == 0 {
			println(err.Error())
			return 1
		}
		return code
	})
}

package hosts

import (
	"fmt"
	"os"
	"testing"
)

// TestMain is also the router's advertiser: HOSTS_ADVERTISE has the interface and the
// file that counts.
func TestMain(m *testing.M) {
	var name, count string
	if n, _ := fmt.Sscan(os.Getenv("HOSTS_ADVERTISE"), &name, &count); n == 2 {
		fmt.Println("advertising:", advertise(name, count))
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(built.dir)
	os.Exit(code)
}

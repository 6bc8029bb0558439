package main

import (
	"strings"
	"testing"

	"github.com/go-mif/mif/examples/internal/exampletest"
	"github.com/go-mif/mif/miftest"
)

func TestReadme(t *testing.T) {
	t.Parallel()
	exampletest.Needs(t, "curl")
	n, _ := exampletest.Sites(t)
	exampletest.Recorded(t, func() string { return exampletest.Shown(t, exampletest.README, "proxy", byPorts(t, n.Host())) })
}

// byPorts is what a proxy prints, and curl by each of its ports.
func byPorts(t *testing.T, h *miftest.Host) string {
	args := []string{"-listen", "127.0.0.1:1081=eth0", "-listen", "127.0.0.1:1082=eth1"}
	p := start(t, h, args...)
	all := "$ proxy " + strings.Join(args, " ") + " &\n"
	for _, told := range p.told {
		all += "listening on " + told + "\n"
	}
	var logged int
	for _, port := range []string{"1081", "1082"} {
		curl := []string{"curl", "-sS", "-x", "socks5h://127.0.0.1:" + port, "http://" + exampletest.Name}
		out, err := h.Command(curl[0], curl[1:]...).Output()
		must(t, err)
		p.await("to=" + exampletest.Name + ":80 pvd=eth" + map[string]string{"1081": "0", "1082": "1"}[port])
		p.Lock()
		log := p.log.String()
		p.Unlock()
		all += "$ " + strings.Join(curl, " ") + "\n" + log[logged:] + string(out) + "\n"
		logged = len(log)
	}
	p.stop()
	return all
}

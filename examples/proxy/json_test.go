package main

import (
	"encoding/json"
	"strings"
	"syscall"
	"testing"

	"github.com/go-mif/mif/examples/internal/exampletest"
	"github.com/go-mif/mif/miftest"
)

// With -json the address and each connection are told as objects.
func TestJSON(t *testing.T) {
	t.Parallel()
	n, all := exampletest.Sites(t)
	target := echoing(t, all[1])
	p := start(t, n.Host(), "-json", "-pvd", "eth1")
	var l struct{ Msg, Local, To, PvD, Remote string }
	must(t, json.Unmarshal([]byte(p.address), &l))
	if l.Msg != "listening" {
		t.Errorf("%+v", l)
	}
	p.address = l.Local
	must(t, tunnel(p.dial()))
	p.await(`"msg":"connected"`)
	p.Lock()
	must(t, json.Unmarshal([]byte(strings.SplitN(p.log.String(), "\n", 2)[0]), &l))
	p.Unlock()
	if l.To != target.Addr().String() || l.Remote != l.To || l.PvD != all[1].PvD || l.Local != target.Peers()[0].String() {
		t.Errorf("%+v", l)
	}
	must(t, p.cmd.Process.Signal(syscall.SIGTERM))
	p.await(`"msg":"stopped"`)
}

// A port that is taken is told.
func TestTaken(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	p := start(t, n.Host())
	r := exampletest.RunIn(t, n.Host(), "-listen", p.address)
	if r.Status != 1 || !strings.Contains(r.Err, "address already in use") {
		t.Errorf("status %d %q", r.Status, r.Err)
	}
	p.stop()
}

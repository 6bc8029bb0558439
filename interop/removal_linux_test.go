package interop

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// removal: ip link del. The interface goes, after all that it had.
func (s *story) removal() {
	s.must(s.host.RemoveLink("eth0"))
	s.settle("removal", facts{}, facts{})
	if s.model.interfaces[s.index] != nil {
		s.lab.t.Error("the removed interface is still told of")
	}
	s.quit()
}

// recreation: another interface of the same name and index is a new one, and gets its
// domains as the first did.
func (s *story) recreation() {
	s.link("link add " + s.veth())
	s.connect()
	s.run(advertised{prefixes: []prefix{{prefix2, 1800, 3600}}, lifetime: 1800})
	s.settle("recreation", s.addresses(prefix2), wanted(byDHCP(), s.byRA([]string{prefix2}, nil)))
	s.reborn(2)
	s.ends()
}

// exchange: the interface is removed and made again while the program sleeps. That too is
// told as an end and a beginning.
func (s *story) exchange() {
	s.quit()
	s.must(s.cmd.Process.Signal(syscall.SIGSTOP))
	s.link("link del lan\nlink add " + s.veth())
	s.must(s.host.SetUp("eth0"))
	s.must(s.cmd.Process.Signal(syscall.SIGCONT))
	s.settle("exchange", facts{}, facts{})
	s.connect()
	so := facts{}
	so.addInterface(s.index, "eth0", "02:00:00:00:00:01", 1500, true, true)
	s.settle("exchange", so, facts{})
	s.reborn(3)
}

func (s *story) reborn(times int) {
	s.lab.t.Helper()
	if got := s.model.born[s.index]; got != times {
		s.lab.t.Errorf("index %d was announced as a new interface %d times, want %d", s.index, got, times)
	}
}

// veth is what ip is to be told on the router to make the link again. The indexes of its
// two ends differ: with equal ones the kernel takes a second to notice the carrier.
func (s *story) veth() string {
	return fmt.Sprintf("lan index %d address 02:00:01:00:00:01 type veth peer name eth0 index %d address 02:00:00:00:00:01 netns /proc/self/fd/3",
		1<<21+s.index, s.index)
}

// link has ip on the router do all of that, with the host's namespace open as file 3.
func (s *story) link(commands string) {
	s.lab.t.Helper()
	var namespace *os.File
	s.must(s.host.Do(func() (err error) {
		namespace, err = os.Open("/proc/thread-self/ns/net")
		return err
	}))
	defer namespace.Close()
	cmd := exec.Command(s.ip, "-batch", s.write("links", commands+"\n", 0o644))
	cmd.ExtraFiles = []*os.File{namespace}
	d := start(s.lab.t, cmd, func() error { return s.router.Do(cmd.Start) })
	if d.wait(); !cmd.ProcessState.Success() {
		s.lab.t.Fatalf("ip: %v: %s", cmd.ProcessState, d.out.String())
	}
	if got, err := s.host.Index("eth0"); err != nil || got != s.index {
		s.lab.t.Fatalf("eth0 has index %d, %v, want %d", got, err, s.index)
	}
}

// connect sets both ends of the new link up and gives the router its addresses there.
func (s *story) connect() {
	s.routerIP("link", "set", "lan", "up")
	s.must(s.host.SetUp("eth0"))
	s.routerIP("address", "add", gateway+"/24", "dev", "lan")
	s.routerIP("address", "add", s.router.LinkLocal().String()+"/64", "dev", "lan", "nodad")
}

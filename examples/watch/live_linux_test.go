package main

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/go-mif/mif/miftest"
)

// On a terminal there is a table. It counts down, follows what goes on and the size of
// the terminal, and is gone after Ctrl-C but for its last state.
func TestTerminal(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	f, err := n.Figure2()
	must(t, err)
	s := sit(t, n.Host(), nil)
	s.await("table", func() bool {
		return s.table(`^3 interfaces, 3 domains, 5 addresses .* \d\d:\d\d:\d\d$`) && s.table(`^INTERFACE .* VALID$`) &&
			s.table(`^eth0 +up, veth, MTU 1500, 02:00:00:00:00:01$`) && s.table(`^  eth0/ipv4 +ipv4$`) &&
			s.table(`^    DHCPv4 +192\.168\.1\.100/24 .*\d+m\d+s$`) && s.table(`^ +DNSServers +192\.168\.1\.1:53 .*\d+m\d+s$`) &&
			s.table(`^  wlan0/ipv6 +ipv6$`) && s.event(`= wlan0/ipv6 +RA Prefixes: 2001:db8:2::/64$`)
	})
	if is, err := unix.IoctlGetTermios(int(s.terminal.Fd()), unix.TCGETS); err != nil || is.Lflag&unix.ECHO != 0 || !s.emulator.coloured {
		t.Errorf("%v, what is typed shows, or there are no colours", err)
	}
	s.countsDown()
	must(t, f.Eth0.CablePull())
	s.await("loss of eth0", func() bool {
		return s.table(`^eth0 +up without carrier`) && !s.table(`^  eth0/`) && !s.table(`192\.168\.1\.`) && s.table(`^  wlan0/ipv6`) &&
			s.event(`- eth0/ipv4 +domain$`)
	})
	s.resize(50, 12)
	s.await("narrow table", func() bool {
		table, events := s.emulator.lines()
		return s.table(`^INTERFACE *$`) && len(table)+1+len(events) == 12 && s.table(`lines more than`)
	})
	s.press("typed\x03")
	s.end()
	if !strings.Contains(s.emulator.main, "wlan0/ipv6") || strings.Contains(s.emulator.main, "typed") {
		t.Errorf("it leaves behind %q", s.emulator.main)
	}
}

// countsDown wants a lifetime to be less after a while.
func (s *seat) countsDown() {
	s.t.Helper()
	line := func() string {
		table, _ := s.emulator.lines()
		for _, l := range table {
			if strings.Contains(l, "192.168.1.100/24") {
				return l
			}
		}
		return ""
	}
	first := line()
	s.await("countdown", func() bool { return line() != first })
}

// Ctrl-Z gives the terminal back until the program goes on.
func TestSuspended(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	s := sit(t, n.Host(), []string{"NO_COLOR=1"})
	s.await("table", func() bool { return s.table(`^lo `) })
	s.press("\x1a")
	s.await("usual screen", func() bool { return s.emulator.modes["25"] })
	s.await("stop", func() bool { return s.stopped() })
	s.checkRestored()
	must(t, s.cmd.Process.Signal(unix.SIGCONT))
	s.await("table again", func() bool { return s.emulator.modes["1049"] && s.table(`^lo `) })
	s.press("\x03")
	s.end()
	if s.emulator.coloured {
		t.Error("there are colours in spite of NO_COLOR")
	}
}

// Lines are what one gets that asks for them, or has a terminal that can do no more.
func TestLinesOnTerminal(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	for _, c := range []struct {
		environment, args []string
		want              string
	}{
		{nil, []string{"-plain"}, " + lo "},
		{nil, []string{"-json"}, `"message":"InterfaceAnnouncement"`},
		{[]string{"TERM=dumb"}, nil, " + lo "},
		{[]string{"TERM="}, nil, " + lo "},
	} {
		t.Run(fmt.Sprint(c.environment, c.args), func(t *testing.T) {
			t.Parallel()
			s := sit(t, n.Host(), c.environment, c.args...)
			s.await("line", func() bool { return strings.Contains(s.emulator.main, c.want) })
			if s.emulator.coloured || len(s.emulator.modes) > 0 {
				t.Errorf("colours or modes %v", s.emulator.modes)
			}
			s.press("\x03")
			s.await("end", func() bool { return len(s.ended) > 0 })
		})
	}
}

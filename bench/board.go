package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A board is memory that the driver shares with the process that it measures.
type board struct {
	want   atomic.Uint64 // id of the event that the driver waits for
	at     atomic.Int64  // when it was there
	events atomic.Int64
	ended  atomic.Int64 // subscriptions that ended by themselves
}

// note is called where an application would have the event in its hands.
func (b *board) note(id uint64) {
	b.events.Add(1)
	if id == b.want.Load() && b.at.Load() == 0 {
		b.at.Store(monotonic())
	}
}

// monotonic is the clock that all processes share.
func monotonic() int64 {
	var t unix.Timespec
	unix.ClockGettime(unix.CLOCK_MONOTONIC, &t)
	return t.Nano()
}

func mapBoard(f *os.File) (*board, error) {
	m, err := unix.Mmap(int(f.Fd()), 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, os.NewSyscallError("mmap", err)
	}
	return (*board)(unsafe.Pointer(&m[0])), nil
}

// cost is what a process has used since it was last asked, and what it lost.
type cost struct {
	Mallocs, CPU float64 // CPU in ns
	Drops        int64   // notifications that its sockets had no room for
	Right, Asked int     // sessions that know what is so, and how many there are
	Told         int     // what the session that slept was told
}

// agent is the process that is measured: it subscribes, tells that it did, and
// answers what the driver asks on standard input.
func agent(args []string) error {
	if len(args) != 2 {
		return errors.New("agent CONTESTANT BUFFER")
	}
	buffer, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	b, err := mapBoard(os.NewFile(3, "board"))
	if err != nil {
		return err
	}
	start := contestants[args[0]]
	if start == nil {
		return fmt.Errorf("no contestant %s", args[0])
	}
	check, err := start(buffer, b)
	if err != nil {
		return err
	}
	out, base := json.NewEncoder(os.Stdout), cost{}
	out.Encode(base)
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		c := used()
		d := cost{Mallocs: c.Mallocs - base.Mallocs, CPU: c.CPU - base.CPU, Drops: drops()}
		if in.Text() == "check" && check != nil {
			d.Right, d.Asked, d.Told = check()
		}
		out.Encode(d)
		runtime.GC()
		base = used()
	}
	return nil
}

func used() (c cost) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	var t unix.Timespec
	unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t)
	return cost{Mallocs: float64(m.Mallocs), CPU: float64(t.Nano())}
}

// drops is how many messages this process's netlink sockets have lost.
func drops() (n int64) {
	mine := map[string]bool{}
	fds, _ := os.ReadDir("/proc/self/fd")
	for _, fd := range fds {
		to, _ := os.Readlink("/proc/self/fd/" + fd.Name())
		mine[strings.TrimSuffix(strings.TrimPrefix(to, "socket:["), "]")] = true
	}
	b, _ := os.ReadFile("/proc/net/netlink")
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 9 && mine[f[9]] {
			d, _ := strconv.ParseInt(f[8], 10, 64)
			n += d
		}
	}
	return n
}

// A subject is the driver's handle of an agent.
type subject struct {
	*board
	cmd *exec.Cmd
	in  io.WriteCloser
	out *json.Decoder
}

func begin(contestant string, buffer int) (*subject, error) {
	fd, err := unix.MemfdCreate("board", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	f := os.NewFile(uintptr(fd), "board")
	defer f.Close()
	if err := f.Truncate(int64(os.Getpagesize())); err != nil {
		return nil, err
	}
	s := &subject{cmd: exec.Command("/proc/self/exe", "agent", contestant, strconv.Itoa(buffer))}
	if s.board, err = mapBoard(f); err != nil {
		return nil, err
	}
	s.cmd.ExtraFiles, s.cmd.Stderr = []*os.File{f}, os.Stderr
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	s.in, _ = s.cmd.StdinPipe()
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.out = json.NewDecoder(out)
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	if err := s.out.Decode(&cost{}); err != nil {
		return nil, errors.Join(fmt.Errorf("%s did not start: %w", contestant, err), s.cmd.Wait())
	}
	rest(50 * time.Millisecond)
	return s, nil
}

// ask asks what was used since it was last asked.
func (s *subject) ask(what string) (c cost, err error) {
	fmt.Fprintln(s.in, what)
	err = s.out.Decode(&c)
	return c, err
}

// expect names the event that is waited for next.
func (s *subject) expect(id uint64) {
	s.want.Store(id)
	s.at.Store(0)
}

// await waits until the event is there, and returns when it was; 0 if it is not
// in time.
func (s *subject) await(patience time.Duration) int64 {
	for end := monotonic() + int64(patience); s.at.Load() == 0 && monotonic() < end; {
		rest(200 * time.Microsecond)
	}
	return s.at.Load()
}

// settle waits until no events have come for a while.
func (s *subject) settle(quiet time.Duration) {
	for n := int64(-1); n != s.events.Load(); {
		n = s.events.Load()
		rest(quiet)
	}
}

func (s *subject) signal(sig syscall.Signal) { s.cmd.Process.Signal(sig) }

func (s *subject) end() {
	s.in.Close()
	s.cmd.Wait()
	unix.Munmap(unsafe.Slice((*byte)(unsafe.Pointer(s.board)), os.Getpagesize()))
}

// rest puts the thread to sleep, without the Go runtime's timers.
func rest(d time.Duration) {
	t := unix.NsecToTimespec(int64(d))
	for unix.Nanosleep(&t, &t) == unix.EINTR {
	}
}

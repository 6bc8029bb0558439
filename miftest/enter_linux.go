package miftest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// starting marks the process between its exec and its being set up.
const starting = "starting"

// enter returns nil inside and an error outside. The process that succeeds in
// starting an inner one never returns from here.
func enter() error {
	switch os.Getenv(insideVariable) {
	case "1":
		return nil
	case starting:
		settle()
		return nil
	}
	const flags = unix.CLONE_NEWNET | unix.CLONE_NEWNS | unix.CLONE_NEWPID
	err := reexec(flags | unix.CLONE_NEWUSER)
	if os.Geteuid() == 0 {
		// Root can do without a user namespace where those are switched off.
		reexec(flags)
	}
	return fmt.Errorf("miftest: cannot make namespaces: %w%s", err, obstacle())
}

// reexec runs this program again in new namespaces and exits as it exits. It
// returns when there is no inner program, with the reason.
func reexec(flags uintptr) error {
	// The kernel sends the parent-death signal when the starting thread ends,
	// so that thread has to be one that stays.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	cmd := inner(flags, w)
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGUSR1, unix.SIGUSR2)
	defer signal.Stop(signals)
	err = cmd.Start()
	w.Close()
	if err != nil {
		return err
	}
	if said, _ := io.ReadAll(r); string(said) != "ok" {
		cmd.Wait()
		return errors.New(string(said))
	}
	go pass(signals, cmd.Process)
	os.Exit(status(cmd.Wait()))
	return nil
}

func inner(flags uintptr, report *os.File) *exec.Cmd {
	cmd := &exec.Cmd{
		Path:       "/proc/self/exe",
		Args:       os.Args,
		Env:        append(os.Environ(), insideVariable+"="+starting),
		Stdin:      os.Stdin,
		Stdout:     os.Stdout,
		Stderr:     os.Stderr,
		ExtraFiles: []*os.File{report},
	}
	// The inner process is the init of its process namespace: whatever it
	// started dies with it, and it dies with us.
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flags, Pdeathsig: syscall.SIGKILL}
	if flags&unix.CLONE_NEWUSER != 0 {
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}
	}
	return cmd
}

// settle is the inner process's first act. It tells the outer one how it went.
func settle() {
	report := os.NewFile(3, "report")
	if err := furnish(); err != nil {
		fmt.Fprint(report, err)
		os.Exit(1)
	}
	os.Setenv(insideVariable, "1")
	io.WriteString(report, "ok")
	report.Close()
}

func furnish() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("making mounts private: %w", err)
	}
	// Where a container hides parts of /proc, the kernel refuses a new one. The
	// old one still serves /proc/self and /proc/sys; only numbers in it are
	// those of the outer process namespace.
	unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
	lo, err := netlink.LinkByName("lo")
	if err == nil {
		err = netlink.LinkSetUp(lo)
	}
	if err != nil {
		return fmt.Errorf("setting up the loopback: %w", err)
	}
	return nil
}

// pass hands p what is sent to this process alone. A terminal sends its
// interrupts to both, and p must not see them twice.
func pass(signals <-chan os.Signal, p *os.Process) {
	for s := range signals {
		if !fromKeyboard(s) {
			p.Signal(s)
		}
	}
}

func fromKeyboard(s os.Signal) bool {
	if s != unix.SIGINT && s != unix.SIGQUIT {
		return false
	}
	tty, err := os.Open("/dev/tty")
	if err != nil {
		return false
	}
	defer tty.Close()
	front, err := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGPGRP)
	return err == nil && front == unix.Getpgrp()
}

// status is the exit status that says what err, of exec.Cmd.Wait, says.
func status(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case !errors.As(err, &exit):
		return 1
	}
	if ws, ok := exit.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return exit.ExitCode()
}

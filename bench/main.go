// Command bench measures what the library promises of events, with floors and
// peers in the same run, and prints Markdown tables. It is a module of its own, so
// that the peers are no dependency of the library. Run it in its directory:
//
//	go run .                    # every rig, about six minutes
//	go run . -quick latency     # some, with fewer rounds: a smoke test
//
// Every rig runs in a network namespace of its own, made for it and gone with it:
// nothing of the machine is changed, and nothing leaves it. Without root a user
// namespace is made as well; then the kernel's limits on receive buffers hold, and
// the rigs that need larger ones say so. Who is measured runs in a process of its
// own wherever the kernel's events are the question.
//
// The machine's speed drifts, so rounds of all contestants are interleaved, and
// the ratios in the tables are those to hold.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

var quick = flag.Bool("quick", false, "fewer rounds: does it work, not how well")

// rigs are what can be measured, in the order in which they run.
var rigs = []struct {
	name string
	run  func() error
}{
	{"latency", latency}, {"storm", storm}, {"drain", drain},
	{"picture", pictures}, {"resync", resync}, {"sessions", sessions}, {"loop", loop},
}

// inside marks the process that runs one rig in a namespace of its own.
const inside = "BENCH_INSIDE"

func main() {
	log.SetFlags(0)
	flag.Parse()
	err := errors.New("no such rig")
	switch args := flag.Args(); {
	case len(args) > 0 && args[0] == "agent":
		err = agent(args[1:])
	case os.Getenv(inside) != "":
		for _, r := range rigs {
			if len(args) == 1 && r.name == args[0] {
				err = r.run()
			}
		}
	default:
		err = outer(args)
	}
	if err != nil {
		log.Fatal("bench: ", err)
	}
}

// outer runs the rigs that are named, or all.
func outer(names []string) error {
	header()
	if len(names) == 0 {
		for _, r := range rigs {
			names = append(names, r.name)
		}
	}
	for _, name := range names {
		if err := enclose(name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	fmt.Printf("\nLoad at the end: %s.\n", load())
	return nil
}

// enclose runs a rig in a network namespace of its own.
func enclose(rig string) error {
	runtime.LockOSThread() // the thread that starts it must outlive it
	defer runtime.UnlockOSThread()
	cmd := exec.Command("/proc/self/exe", fmt.Sprint("-quick=", *quick), rig)
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}
	}
	return cmd.Run()
}

func header() {
	var u unix.Utsname
	unix.Uname(&u)
	fmt.Printf("%s, Linux %s, %s, %d CPUs, load %s.\n",
		time.Now().Format(time.DateOnly), unix.ByteSliceToString(u.Release[:]), runtime.Version(), runtime.NumCPU(), load())
}

func load() string {
	b, _ := os.ReadFile("/proc/loadavg")
	return strings.Join(strings.Fields(string(b) + "? ? ?")[:3], " ")
}

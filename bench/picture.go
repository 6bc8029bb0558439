package main

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
	"unsafe"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/pvd"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

//go:embed floor/dump.c
var dumpC string

// A picture takes everything that the host has, and returns how long that took in
// ns, and what counts the interfaces, addresses and routes in it.
type picture func() (took float64, have func() [3]int, err error)

// pictures measures the first picture of hosts of two sizes.
func pictures() error {
	d, err := newDriver()
	if err != nil {
		return err
	}
	names := []string{"C dump", "Go dump", "vishvananda", "mif.Open"}
	takers := map[string]picture{"Go dump": goPicture, "vishvananda": vishvanandaPicture, "mif.Open": openPicture}
	program, err := compile()
	if err != nil {
		fmt.Println("\nC dump: skipped,", err)
		names = names[1:]
	} else {
		defer os.RemoveAll(filepath.Dir(program))
		takers["C dump"] = func() (float64, func() [3]int, error) { return cPicture(program) }
	}
	have := 0
	for _, n := range []int{100, 1000, pick(4000, 1000)} {
		if _, err := d.populate(have, n); err != nil {
			return err
		}
		have = n
		rest(2 * time.Second) // the kernel goes on with some of it in the background
		if err := compare(n, names, takers); err != nil {
			return err
		}
	}
	return nil
}

func compare(n int, names []string, takers map[string]picture) error {
	took, mallocs, has := map[string][]float64{}, map[string][]float64{}, map[string][3]int{}
	for r := range rounds(9) {
		for _, name := range shuffled(names, r) {
			runtime.GC()
			before := used().Mallocs
			t, have, err := takers[name]()
			for range 5 {
				if errors.Is(err, netlink.ErrDumpInterrupted) { // by a change: it must be done again
					t, have, err = takers[name]()
				}
			}
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			took[name], mallocs[name] = append(took[name], t), append(mallocs[name], used().Mallocs-before)
			has[name] = have()
		}
	}
	var rows [][]string
	for _, name := range names {
		m, h := fmt.Sprintf("%.1f", median(mallocs[name])/float64(n)), has[name]
		if name == "C dump" {
			m = "–"
		}
		rows = append(rows, []string{name, ns(median(took[name])), ratio(took[name], took["C dump"]), ratio(took[name], took["Go dump"]),
			m, fmt.Sprintf("%d, %d, %d", h[0], h[1], h[2])})
	}
	table(fmt.Sprintf("First picture: %d interfaces × 2 addresses", n),
		[]string{"", "time", "× C dump", "× Go dump", "allocations per interface", "interfaces, addresses, routes"}, rows)
	return nil
}

func compile() (string, error) {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return "", err
	}
	program := filepath.Join(dir, "dump")
	cmd := exec.Command("cc", "-O2", "-x", "c", "-o", program, "-")
	cmd.Stdin = strings.NewReader(dumpC)
	if out, err := cmd.CombinedOutput(); err != nil {
		os.RemoveAll(dir)
		return "", fmt.Errorf("cc: %w %s", err, out)
	}
	return program, nil
}

func cPicture(program string) (took float64, have func() [3]int, err error) {
	out, err := exec.Command(program).Output()
	if err != nil {
		return 0, nil, err
	}
	var n [3]int
	_, err = fmt.Sscan(string(out), &took, &n[0], &n[1], &n[2])
	return took, func() [3]int { return n }, err
}

func openPicture() (took float64, have func() [3]int, err error) {
	t := time.Now()
	h, err := mif.Open(nil)
	return since(t), func() [3]int { return counted(h) }, err
}

// counted counts what a host has, and closes it.
func counted(h *mif.Host) (have [3]int) {
	defer h.Close()
	for range h.Snapshot().Links() {
		have[0]++
	}
	for d := range h.Snapshot().Domains() {
		for range d.Addresses() {
			have[1]++
		}
		routes, _ := d.Data(pvd.ElementAny, pvd.ItemRoutes).(pvd.Routes)
		have[2] += len(routes)
	}
	return have
}

func vishvanandaPicture() (took float64, have func() [3]int, err error) {
	t := time.Now()
	links, err := netlink.LinkList()
	if err != nil {
		return 0, nil, err
	}
	addrs, err := netlink.AddrList(nil, netlink.FAMILY_ALL)
	if err != nil {
		return 0, nil, err
	}
	routes := 0
	for _, family := range []int{netlink.FAMILY_V4, netlink.FAMILY_V6} {
		r, err := netlink.RouteListFiltered(family, &netlink.Route{Table: unix.RT_TABLE_UNSPEC}, netlink.RT_FILTER_TABLE)
		if err != nil {
			return 0, nil, err
		}
		routes += len(r)
	}
	return since(t), func() [3]int { return [3]int{len(links), len(addrs), routes} }, nil
}

func goPicture() (took float64, have func() [3]int, err error) {
	t := time.Now()
	m, err := goDump()
	return since(t), func() (have [3]int) {
		for _, n := range m {
			have[0]++
			have[1] += len(n.addrs)
			have[2] += len(n.routes)
		}
		return have
	}, err
}

// A node is an interface of the plainest model, with what belongs to it.
type node struct {
	link          event
	addrs, routes []*event
}

// goDump dumps everything into the plainest model: by interface.
func goDump() (map[int32]*node, error) {
	fd, err := socket(0, 0, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	model, b := map[int32]*node{}, make([]byte, 32<<10)
	for _, kind := range []int{unix.RTM_GETLINK, unix.RTM_GETADDR, unix.RTM_GETROUTE} {
		if err := list(fd, kind, b, filed(model)); err != nil {
			return nil, err
		}
	}
	return model, nil
}

// filed puts events into a model. They lie in chunks, which are never copied.
func filed(model map[int32]*node) func(kind, flags uint16, body []byte) {
	var chunk []event
	return func(kind, _ uint16, body []byte) {
		if len(chunk) == cap(chunk) {
			chunk = make([]event, 0, 512)
		}
		chunk = chunk[:len(chunk)+1]
		e := &chunk[len(chunk)-1]
		if !e.decode(kind, body) {
			chunk = chunk[:len(chunk)-1]
			return
		}
		n := model[e.index]
		switch {
		case kind == unix.RTM_NEWLINK:
			model[e.index] = &node{link: *e}
		case n == nil: // a route of no interface
		case kind == unix.RTM_NEWADDR:
			n.addrs = append(n.addrs, e)
		default:
			n.routes = append(n.routes, e)
		}
	}
}

// list asks for a list of everything of a kind.
func list(fd, kind int, b []byte, take func(kind, flags uint16, body []byte)) error {
	q := make([]byte, 32)
	host.PutUint32(q, 32)
	host.PutUint16(q[4:], uint16(kind))
	host.PutUint16(q[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	if err := unix.Sendto(fd, q, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return os.NewSyscallError("sendto", err)
	}
	for done := false; !done; {
		n, _, err := unix.Recvfrom(fd, b, 0)
		if err != nil {
			return os.NewSyscallError("recvfrom", err)
		}
		if n == 0 {
			return io.ErrUnexpectedEOF
		}
		each(b[:n], func(kind, flags uint16, body []byte) {
			if kind == unix.NLMSG_DONE || kind == unix.NLMSG_ERROR {
				done = true
				return
			}
			take(kind, flags, body)
		})
	}
	return nil
}

// pointer is where b lies, as a system call wants it.
func pointer(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }

package main

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// storm makes 20,000 address changes as fast as the kernel does. An address brings
// a route in the local table along, so that there are twice as many notifications.
func storm() error {
	d, err := newDriver()
	if err != nil {
		return err
	}
	names := []string{"netpoll", "vishvananda", "rtnetlink", "mif × 100", "mif × 100, the kernel's buffer"}
	got, changes := map[string]*weather{}, d.toggles(pick(20000, 4000), 20)
	for r := range rounds(5) {
		for _, name := range shuffled(names, r) {
			if got[name] == nil {
				got[name] = &weather{}
			}
			if err := got[name].blow(d, name, changes); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	var rows [][]string
	for _, name := range names {
		w := got[name]
		lost, right, asleep := fmt.Sprintf("%.0f %%", 100-50*median(w.told)/float64(len(changes))), "–", "–"
		if w.asked > 0 {
			lost, right, asleep = fmt.Sprintf("%s to %s at the socket", count(quantile(w.drops, 0)), count(quantile(w.drops, 1))), fmt.Sprintf("%d of %d", w.right, w.asked), count(median(w.asleep))
		}
		rows = append(rows, []string{name, lost, fmt.Sprintf("%d of %d", w.ended, len(w.drops)), right, asleep, ns(median(w.pace))})
	}
	table(fmt.Sprintf("Storm: %d address changes, %d notifications, default buffer", len(changes), 2*len(changes)),
		[]string{"", "lost", "runs in which a subscription ended", "sessions right at the end, all runs", "messages to the sleeper", "pace of the kernel, per change"}, rows)
	return nil
}

// kernelBuffer is what to ask for to get the receive buffer that a socket has if
// nobody asks: the kernel doubles it.
const kernelBuffer = 212992 / 2

type weather struct {
	told, drops, pace, asleep []float64
	ended, right, asked       int
}

func (w *weather) blow(d *driver, name string, changes []change) error {
	buffer := 0
	name, small := strings.CutSuffix(name, ", the kernel's buffer")
	if small { // ours is larger by default, those of the others are not
		buffer = kernelBuffer
	}
	s, err := begin(name, buffer)
	if err != nil {
		return err
	}
	defer s.end()
	before := s.events.Load()
	t := time.Now()
	if err := d.storm(changes); err != nil {
		return err
	}
	w.pace = append(w.pace, since(t)/float64(len(changes)))
	s.settle(300 * time.Millisecond)
	c, err := s.ask("check")
	if err != nil {
		return err
	}
	w.told = append(w.told, float64(s.events.Load()-before))
	w.drops, w.asleep = append(w.drops, float64(c.Drops)), append(w.asleep, float64(c.Told))
	w.right, w.asked = w.right+c.Right, w.asked+c.Asked
	if s.ended.Load() > 0 {
		w.ended++
	}
	return d.calm(changes)
}

// calm removes the addresses that a storm left.
func (d *driver) calm(changes []change) error {
	left := map[string]change{}
	for _, c := range changes {
		if key := string(c[16:]); host.Uint16(c[4:]) == unix.RTM_NEWADDR {
			left[key] = c
		} else {
			delete(left, key)
		}
	}
	var back []change
	for _, c := range left {
		c = slices.Clone(c)
		host.PutUint16(c[4:], unix.RTM_DELADDR)
		host.PutUint16(c[6:], unix.NLM_F_REQUEST)
		back = append(back, c)
	}
	return d.storm(back)
}

// stopped stops a subject, makes changes and one more that lasts, lets it go on,
// and measures how long it takes until it knows the last.
func (d *driver) stopped(s *subject, changes []change) (took float64, used cost, err error) {
	if _, err := s.ask("base"); err != nil {
		return 0, used, err
	}
	s.signal(syscall.SIGSTOP)
	rest(5 * time.Millisecond)
	last := d.fresh()
	s.expect(addrID(unix.RTM_NEWADDR, last))
	if err := d.storm(append(slices.Clip(changes), addr(true, d.main, last, 32))); err != nil {
		return 0, used, err
	}
	t := monotonic()
	s.signal(syscall.SIGCONT)
	at := s.await(10 * time.Second)
	if at == 0 {
		return 0, used, fmt.Errorf("the last change was not told")
	}
	if used, err = s.ask("used"); err != nil {
		return 0, used, err
	}
	return float64(at - t), used, d.do(addr(false, d.main, last, 32))
}

// drain measures how fast queued notifications are worked off: in one run
// addresses that come and go again at once, in the other addresses that stay.
func drain() error {
	d, err := newDriver()
	if err != nil {
		return err
	}
	if err := d.roomy(); err != nil {
		fmt.Println("\nDrain: skipped,", err)
		return nil
	}
	n := pick(20000, 4000)
	indexes, err := d.populate(0, pick(1000, 100))
	if err != nil {
		return err
	}
	var stay []change
	for i := range n / 2 {
		stay = append(stay, addr(true, indexes[i%len(indexes)], number(10, uint32(i)), 32))
	}
	if err := d.drain("that come and go on one interface", d.toggles(n, 0)); err != nil {
		return err
	}
	return d.drain(fmt.Sprintf("that stay, on %d interfaces", len(indexes)), stay)
}

const large = 128 << 20 // octets of receive buffer that hold any storm

// roomy tells why there is no large receive buffer, if there is none.
func (d *driver) roomy() error {
	fd, err := socket(0, large, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if n, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF); err != nil || n < large {
		return fmt.Errorf("for it needs root: a receive buffer of %d MiB", large>>20)
	}
	return nil
}

// once has a contestant of its own begin, be stopped through the changes, and end.
func (d *driver) once(name string, buffer int, changes []change) (took float64, used cost, err error) {
	s, err := begin(name, buffer)
	if err != nil {
		return 0, used, err
	}
	defer s.end()
	if took, used, err = d.stopped(s, changes); err != nil {
		return 0, used, fmt.Errorf("%s: %w", name, err)
	}
	return took, used, nil
}

func (d *driver) drain(title string, changes []change) error {
	names := []string{"netpoll", "netpoll + hop", "vishvananda", "rtnetlink", "mif"}
	took, mallocs, cpu := map[string][]float64{}, map[string][]float64{}, map[string][]float64{}
	n := float64(2 * len(changes))
	for r := range rounds(7) {
		for _, name := range shuffled(names, r) {
			t, used, err := d.once(name, large, changes)
			if err != nil {
				return err
			}
			took[name], mallocs[name], cpu[name] = append(took[name], t/n), append(mallocs[name], used.Mallocs/n), append(cpu[name], used.CPU/n)
			if err := d.calm(changes); err != nil {
				return err
			}
		}
	}
	var rows [][]string
	for _, name := range names {
		m := median(mallocs[name])
		rows = append(rows, []string{name, ns(median(took[name])), count(1e9 / median(took[name])), ratio(took[name], took["netpoll"]),
			ns(median(cpu[name])), fmt.Sprintf("%.1f", m), fmt.Sprintf("%.1f", 2*m)})
	}
	table(fmt.Sprintf("Drain: %.0f queued notifications of %d addresses %s", n, len(changes), title),
		[]string{"", "per notification", "a second", "× netpoll", "CPU", "allocations", "allocations per address change"}, rows)
	return nil
}

// resync measures how long after a storm that overflowed the receive buffer, on a
// host of many interfaces, everything is known again.
func resync() error {
	d, err := newDriver()
	if err != nil {
		return err
	}
	many := pick(1000, 100)
	if _, err := d.populate(0, many); err != nil {
		return err
	}
	names, took := []string{"netpoll, dump", "mif"}, map[string][]float64{} // with one and the same buffer
	changes := d.toggles(20000, 200)
	for r := range rounds(9) {
		for _, name := range shuffled(names, r) {
			t, used, err := d.once(name, kernelBuffer, changes)
			if err != nil {
				return err
			}
			if used.Drops == 0 {
				return fmt.Errorf("%s: nothing was lost", name)
			}
			took[name] = append(took[name], t)
			if err := d.calm(changes); err != nil {
				return err
			}
		}
	}
	var rows [][]string
	for _, name := range names {
		rows = append(rows, []string{name, ns(median(took[name])), ratio(took[name], took[names[0]])})
	}
	table(fmt.Sprintf("After ENOBUFS: until consistent, %d interfaces × 2 addresses, 20,000 changes", many), []string{"", "time", "× raw dump"}, rows)
	return nil
}

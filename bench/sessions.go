package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/pvd"
)

// sessions measures what sessions cost: memory, messages, a round trip.
func sessions() error {
	d, err := newDriver()
	if err != nil {
		return err
	}
	if err := idle(); err != nil {
		return err
	}
	h, err := mif.Open(&mif.Config{ReceiveBuffer: large})
	if err != nil {
		return err
	}
	defer h.Close()
	if err := trips(h); err != nil {
		return err
	}
	return d.asleep(h, pick(1000, 100), pick(201, 21))
}

// heap is how many octets are in use. Stacks shrink by half a collection.
func heap() float64 {
	var m runtime.MemStats
	for range 5 {
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc + m.StackInuse)
}

// idle measures the memory of sessions with nothing to get.
func idle() error {
	const many = 10000
	var rows [][]string
	for _, w := range []struct {
		what string
		with func(*mif.Session)
	}{
		{"without subscriptions", func(s *mif.Session) { s.Get() }},
		{"subscribed to interfaces and to domains", subscribe},
		{"the same, with a goroutine in Check", func(s *mif.Session) { subscribe(s); go s.Check(context.Background()) }},
	} {
		h, err := mif.Open(nil)
		if err != nil {
			return err
		}
		all := make([]*mif.Session, many)
		before := heap()
		for i := range all {
			all[i] = h.NewSession()
			w.with(all[i])
		}
		time.Sleep(100 * time.Millisecond) // the goroutines get to where they wait
		rows = append(rows, []string{w.what, count((heap() - before) / many)})
		runtime.KeepAlive(all)
		if err := h.Close(); err != nil {
			return err
		}
	}
	table("10,000 idle sessions", []string{"each", "octets"}, rows)
	return nil
}

func subscribe(s *mif.Session) {
	s.Post(mif.AnnounceInterfaces{})
	s.Post(mif.AnnounceProvisioningDomains{})
	take(s)
}

// take takes what there is to get.
func take(s *mif.Session) (got []mif.Event) {
	for e, err := s.Get(); err == nil; e, err = s.Get() {
		got = append(got, e)
	}
	return got
}

// trips measures Post and Get of an answer that is known, by one session and by
// many, whose goroutines take turns.
func trips(h *mif.Host) error {
	var r mif.Request
	for d := range h.Snapshot().Domains() {
		r = mif.GetConfigurationData{PvD: d.ID(), Item: pvd.ItemDNSServers}
	}
	if r == nil {
		return errors.New("there is no domain")
	}
	var rows [][]string
	for _, many := range []int{1, 256} {
		var took, mallocs []float64
		for range rounds(9) {
			before := used().Mallocs
			took = append(took, trip(h, r, many))
			mallocs = append(mallocs, (used().Mallocs-before)/100000)
		}
		rows = append(rows, []string{strconv.Itoa(many), ns(median(took)), fmt.Sprintf("%.1f", median(mallocs))})
	}
	table("Post → Get of a local answer (GetConfigurationData)", []string{"sessions", "a round trip", "allocations"}, rows)
	return nil
}

// trip is how long one of 100,000 round trips takes, shared among sessions that
// each have a goroutine.
func trip(h *mif.Host, r mif.Request, many int) float64 {
	var all []*mif.Session
	for range many {
		all = append(all, h.NewSession())
	}
	var g sync.WaitGroup
	t := time.Now()
	for _, s := range all {
		g.Go(func() {
			for range 100000 / many {
				s.Post(r)
				if _, err := s.Get(); err != nil {
					log.Fatal("round trip: ", err)
				}
			}
		})
	}
	g.Wait()
	took := since(t) / float64(100000/many*many)
	for _, s := range all {
		s.Close()
	}
	return took
}

// asleep changes an address on each of many links again and again while a session
// sleeps, and looks at what it kept and is told.
func (d *driver) asleep(h *mif.Host, many, times int) error {
	indexes, err := d.populate(0, many)
	if err != nil {
		return err
	}
	s := h.NewSession()
	defer s.Close()
	if err := await(h, func() bool { return addresses(h) == 2*many+1 }); err != nil {
		return err
	}
	s.Post(mif.AnnounceProvisioningDomains{})
	for _, e := range take(s) {
		if e, ok := e.(mif.ProvisioningDomainAnnouncement); ok {
			s.Post(mif.AnnounceAddresses{PvD: e.PvD})
		}
	}
	take(s)
	for i := range times {
		var changes []change
		for k, index := range indexes {
			changes = append(changes, addr(i%2 == 0, index, number(10, uint32(k)), 32))
		}
		if err := d.storm(changes); err != nil {
			return err
		}
	}
	if err := await(h, func() bool { return addresses(h) == 3*many+1 }); err != nil {
		return err
	}
	before, t := heap(), time.Now()
	got := take(s)
	took, right := since(t), 0
	for _, e := range got {
		if e, ok := e.(mif.AddressAnnouncement); ok && e.Prefix.Bits() == 32 {
			right++
		}
	}
	n := len(got)
	got = nil
	kept := before - heap()
	table(fmt.Sprintf("A session asleep through %d changes of %d objects", many*times, many),
		[]string{"", "kept for it", "messages", "of them right", "to get them"},
		[][]string{{"mif", fmt.Sprintf("%.0f KiB", kept/1024), strconv.Itoa(n), strconv.Itoa(right), ns(took)}})
	return nil
}

func addresses(h *mif.Host) (n int) {
	for d := range h.Snapshot().Domains() {
		for range d.Addresses() {
			n++
		}
	}
	return n
}

func await(h *mif.Host, is func() bool) error {
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if is() {
			return nil
		}
	}
	return fmt.Errorf("it does not come to be: %d addresses", addresses(h))
}

// loop runs the root package's own benchmark of the loop, which can see what it
// does for its sessions, without the making of the Snapshot.
func loop() error {
	cmd := exec.Command("go", "test", "-run", "^$", "-bench", "^BenchmarkPublish$", "-benchtime", "200x", "-count", strconv.Itoa(rounds(7)), ".")
	cmd.Dir = ".."
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	names, got := []string{}, map[string][]float64{}
	for in := bufio.NewScanner(bytes.NewReader(out)); in.Scan(); {
		f := strings.Fields(in.Text())
		at := slices.Index(f, "loop-ns/event")
		if at < 1 {
			continue
		}
		v, err := strconv.ParseFloat(f[at-1], 64)
		if err != nil {
			return err
		}
		if got[f[0]] == nil {
			names = append(names, f[0])
		}
		got[f[0]] = append(got[f[0]], v)
	}
	if len(names) == 0 {
		fmt.Println("\nLoop: skipped, the library has no benchmark of it.")
		return nil
	}
	var rows [][]string
	for _, name := range names {
		rows = append(rows, []string{strings.TrimPrefix(name, "BenchmarkPublish/"), ns(median(got[name]))})
	}
	table("Loop: what it does for its sessions, per event", []string{"sessions, and how many of them wait", "time"}, rows)
	return nil
}

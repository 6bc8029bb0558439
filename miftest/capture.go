package miftest

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"
)

// A Capture sees what passes a router's end of its link, from its start on:
// what the router sends, and what it is sent or may hear because all or many
// are addressed. Frames for another router of the link it does not see.
type Capture struct {
	socket *packetSocket
	own    []byte
	done   chan struct{}

	mu      sync.Mutex
	packets []Packet
	lost    int
	stopped bool
}

// Capture starts a capture, which ends with Stop or with the router.
func (r *Router) Capture() (*Capture, error) {
	index, err := r.ns.index(lan)
	if err != nil {
		return nil, err
	}
	s, err := r.ns.openPacket(index, etherAll)
	if err != nil {
		return nil, err
	}
	c := &Capture{socket: s, own: r.mac, done: make(chan struct{})}
	go func() {
		defer close(c.done)
		s.each(c.take)
	}()
	return c, r.keep(c)
}

func (c *Capture) take() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drain()
}

// Kinds of frames (packet(7)).
const (
	toOther  = 3
	outgoing = 4
)

// drain takes over what the kernel has kept. c.mu is held.
func (c *Capture) drain() {
	for !c.stopped {
		p, kind, ok := c.socket.next()
		if !ok {
			break
		}
		p.FromRouter = kind == outgoing
		// The first router of a link also carries the others' frames.
		if kind == toOther || p.FromRouter && !bytes.Equal(p.SourceMAC, c.own) {
			continue
		}
		p.Time = time.Now()
		c.packets = append(c.packets, p)
	}
	if !c.stopped {
		c.lost += c.socket.lost()
	}
}

// Packets returns what was captured so far, in order. What had reached the
// router before the call is in it.
func (c *Capture) Packets() []Packet {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drain()
	return slices.Clone(c.packets)
}

// Lost returns how many packets were lost because they came faster than they
// could be read, some hundreds at a time. A test that says what was not sent has to see a 0 here.
func (c *Capture) Lost() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drain()
	return c.lost
}

// Wait returns the first captured packet that matches, waiting for it if need
// be, but not longer than timeout.
func (c *Capture) Wait(timeout time.Duration, match func(Packet) bool) (Packet, error) {
	t := time.NewTicker(200 * time.Microsecond)
	defer t.Stop()
	for deadline, seen := time.Now().Add(timeout), 0; ; <-t.C {
		ps := c.Packets()
		if i := slices.IndexFunc(ps[seen:], match); i >= 0 {
			return ps[seen+i], nil
		}
		seen = len(ps)
		if time.Now().After(deadline) {
			return Packet{}, fmt.Errorf("miftest: no such packet in %v: %w", timeout, os.ErrDeadlineExceeded)
		}
	}
}

// Stop ends the capture. Packets still returns what it saw.
func (c *Capture) Stop() error { return c.Close() }

// Close is Stop.
func (c *Capture) Close() error {
	c.mu.Lock()
	c.drain()
	first := !c.stopped
	c.stopped = true
	c.mu.Unlock()
	var err error
	if first {
		err = c.socket.Close()
	}
	<-c.done
	return err
}

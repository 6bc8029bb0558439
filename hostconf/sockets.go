package hostconf

import (
	"context"
	"fmt"
	"io/fs"
	"net"
	"os"
	"sync"
	"time"
)

// A switchboard runs the goroutines of all lines.
type switchboard struct {
	pace
	root *os.Root
	poke func()
	ctx  context.Context
	end  context.CancelFunc

	mu      sync.Mutex // before running
	running sync.WaitGroup
}

func newSwitchboard(root *os.Root, p pace, poke func()) *switchboard {
	b := &switchboard{pace: p, root: root, poke: poke}
	b.ctx, b.end = context.WithCancel(context.Background())
	return b
}

// close cuts all lines and returns when nothing of them runs.
func (b *switchboard) close() {
	b.mu.Lock()
	b.end()
	b.mu.Unlock()
	b.running.Wait()
}

// settle waits until all lines have answered once, but not for long.
func (b *switchboard) settle(ctx context.Context, all []*sockets) {
	ctx, cancel := context.WithTimeout(ctx, b.pace.first)
	defer cancel()
	for _, s := range all {
		for _, l := range s.lines {
			select {
			case <-l.first:
			case <-ctx.Done():
				return
			case <-b.ctx.Done():
				return
			}
		}
	}
}

// connect starts a line to a socket, which is at this path without links.
func (b *switchboard) connect(at string, info fs.FileInfo, t talker) *line {
	ctx, cut := context.WithCancel(b.ctx)
	l := &line{pace: b.pace, info: info, poke: b.poke, cut: cut, first: make(chan struct{})}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ctx.Err() == nil {
		b.running.Go(func() {
			l.keep(ctx, t, func(ctx context.Context) (net.Conn, error) { return dial(ctx, b.root, at) })
		})
	}
	return l
}

// callers are the sources that talk, each with the programs that it talks to.
func callers(b *switchboard) []*sockets {
	n := &networkdHint{}
	return []*sockets{
		{switchboard: b, name: "networkd", pattern: busSocket, gate: "/run/systemd/netif", hint: n.read,
			talker: func() talker { return busTalker{func() program { return &networkdBus{hint: n, all: true} }} }},
		{switchboard: b, name: "NetworkManager", pattern: busSocket, gate: "/run/NetworkManager",
			talker: func() talker { return busTalker{func() program { return networkManager{} }} }},
		{switchboard: b, name: "resolved", pattern: busSocket, gate: "/run/systemd/resolve", hint: (&resolvedHint{}).read,
			talker: func() talker { return busTalker{func() program { return resolved{} }} }},
		{switchboard: b, name: "dhcpcd", pattern: dhcpcdSockets, talker: func() talker { return dhcpcd{} }},
	}
}

// sockets is the source of programs that answer at sockets.
type sockets struct {
	*switchboard
	name    string
	pattern string
	gate    string // a directory that is there wherever the program is; empty: none
	talker  func() talker
	hint    func(*reading) bool // reads files that show that there is news; nil: none
	lines   map[string]*line
}

func (s *sockets) read(r *reading) {
	paths, err := s.find(r)
	now := map[string]*line{}
	for _, p := range paths {
		l, failed := s.line(r, p)
		if l != nil {
			now[p] = l
			failed = l.read(r)
		}
		if err == nil && failed != nil {
			err = fmt.Errorf("hostconf: %s: %w", p, failed)
		}
	}
	for p, l := range s.lines {
		if now[p] != l {
			l.cut()
		}
	}
	s.lines = now
	if s.hint != nil && len(now) > 0 && s.hint(r) {
		for _, l := range now {
			l.nudge()
		}
	}
	r.report(s.name, s.pattern, err)
}

// find lists the sockets. Without the gate nobody is asked for them.
func (s *sockets) find(r *reading) ([]string, error) {
	if s.gate != "" {
		if _, _, err := r.resolve(s.gate); err != nil {
			return nil, fmt.Errorf("hostconf: %s: %w", s.gate, err)
		}
	}
	paths, err := r.match(s.pattern, entries)
	if err == nil && len(paths) == 0 {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, fmt.Errorf("hostconf: %s: %w", s.pattern, err)
	}
	return paths, nil
}

// line is the line to a socket: the one that there is, unless the socket is
// another than it was.
func (s *sockets) line(r *reading, path string) (*line, error) {
	at, info, err := r.resolve(path)
	switch {
	case err != nil:
		return nil, err
	case info == nil || info.Mode().Type() != fs.ModeSocket:
		return nil, fmt.Errorf("not a socket: %w", fs.ErrInvalid)
	}
	l := s.lines[path]
	if l == nil || !os.SameFile(l.info, info) || !l.info.ModTime().Equal(info.ModTime()) {
		fresh := s.connect(at, info, s.talker())
		if l != nil {
			fresh.inherit(l)
		}
		l = fresh
	}
	return l, nil
}

// inherit takes over what an earlier line knew: its program was started again.
func (l *line) inherit(old *line) {
	old.mu.Lock()
	said, until := old.said, old.until
	old.mu.Unlock()
	if until.IsZero() {
		until = time.Now().Add(l.grace)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.said == nil && l.err == nil {
		l.said, l.until = said, until
	}
}

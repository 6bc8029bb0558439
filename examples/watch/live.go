package main

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/go-mif/mif"
)

// A live is the view on a terminal: a table that is kept up to date.
type live struct {
	watcher  *watcher
	terminal *terminal
	colours  bool
	state    state
	plain    *plain // writes to recent
	recent   *recent
	drawn    []string // what the terminal shows
}

// follow shows a table until the context is done, then leaves its last state behind.
func follow(ctx context.Context, h *mif.Host, t *terminal, colours, verbose bool) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGHUP, syscall.SIGQUIT)
	defer stop()
	w := newWatcher(h, verbose)
	defer w.session.Close()
	r := &recent{}
	l := &live{watcher: w, terminal: t, colours: colours, state: state{}, plain: newPlain(r), recent: r}
	if err := t.enter(); err != nil {
		return err
	}
	err := l.run(ctx)
	if err := errors.Join(err, t.leave()); err != nil {
		return err
	}
	return l.last()
}

// run waits for what is to be shown: events, another size, another second.
func (l *live) run(ctx context.Context) error {
	signals, stop := l.terminal.signals()
	defer stop()
	seconds := time.NewTicker(time.Second)
	defer seconds.Stop()
	for {
		if err := l.draw(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-l.watcher.session.Ready():
			if err := l.get(ctx); err != nil {
				return err
			}
		case s := <-signals:
			l.drawn = nil
			if err := l.terminal.obey(s); err != nil {
				return err
			}
		case <-seconds.C:
		}
	}
}

// get gets what there is. When there is much of it, it is shown meanwhile.
func (l *live) get(ctx context.Context) error {
	for n := 1; ctx.Err() == nil; n++ {
		e, err := l.watcher.session.Get()
		if errors.Is(err, mif.ErrNoMessage) {
			return nil
		}
		if err != nil {
			return err
		}
		l.event(e)
		if n%1000 != 0 {
			continue
		}
		if err := l.draw(); err != nil {
			return err
		}
	}
	return nil
}

func (l *live) event(e mif.Event) {
	l.watcher.follow(e)
	l.state.learn(e)
	if l.watcher.worth(e) {
		l.plain.Event(e) // recent takes everything
	}
}

// draw brings the terminal up to date by writing the lines that have changed.
func (l *live) draw() error {
	var lines []string
	for _, s := range screen(l.state, l.recent.lines, l.terminal.size(), time.Now()) {
		lines = append(lines, s.paint(l.colours))
	}
	var b strings.Builder
	if l.drawn == nil {
		b.WriteString(clearScreen)
	}
	for i := range max(len(lines), len(l.drawn)) {
		switch {
		case i >= len(lines):
			fmt.Fprintf(&b, lineStart+lineEnd, i+1)
		case i >= len(l.drawn) || l.drawn[i] != lines[i]:
			fmt.Fprintf(&b, lineStart+"%s"+lineEnd, i+1, lines[i])
		}
	}
	l.drawn = lines
	return l.terminal.write(b.String())
}

// last writes the table where the terminal keeps it.
func (l *live) last() error {
	z := l.terminal.size()
	z.height-- // for what comes next, the shell's prompt
	var b strings.Builder
	for _, s := range screen(l.state, nil, z, time.Now()) {
		b.WriteString(s.paint(l.colours) + "\n")
	}
	return l.terminal.write(b.String())
}

// A recent keeps the latest lines that were written to it.
type recent struct{ lines []string }

// enough is more lines than a screen has.
const enough = 500

// Write takes one line, and never fails.
func (r *recent) Write(b []byte) (int, error) {
	r.lines = append(r.lines, strings.TrimSuffix(string(b), "\n"))
	if len(r.lines) >= 2*enough {
		r.lines = append([]string(nil), r.lines[enough:]...)
	}
	return len(b), nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/gdamore/tcell/v2"

	"github.com/go-mif/mif"
)

// A live is the view on a terminal: a table that is kept up to date.
type live struct {
	watcher *watcher
	screen  tcell.Screen
	colours bool
	state   state
	top     int    // the first line of the table that shows
	plain   *plain // writes to recent
	recent  *recent
}

// follow shows a table on a screen until the context is done or someone has enough of
// it, and gives the terminal back, whatever happens. The table's last state goes to out.
func follow(ctx context.Context, h *mif.Host, s tcell.Screen, out io.Writer, colours, verbose bool) error {
	defer s.Fini()
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGQUIT)
	defer stop()
	w := newWatcher(h, verbose)
	defer w.session.Close()
	r := &recent{}
	l := &live{watcher: w, screen: s, colours: colours, state: state{}, plain: newPlain(r), recent: r}
	if err := l.run(ctx); err != nil && !errors.Is(err, errEnough) {
		return err
	}
	z := l.size()
	s.Fini()
	return l.last(out, z)
}

// run waits for what is to be shown: events, keys, another size, another second.
func (l *live) run(ctx context.Context) error {
	keys, done := make(chan tcell.Event), make(chan struct{})
	defer close(done)
	go l.screen.ChannelEvents(keys, done)
	suspended, stop := suspensions()
	defer stop()
	seconds := time.NewTicker(time.Second)
	defer seconds.Stop()
	for {
		l.draw()
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-l.watcher.session.Ready():
			err = l.get(ctx)
		case e := <-keys:
			err = l.obey(e)
		case <-suspended:
			err = l.suspend()
		case <-seconds.C:
		}
		if err != nil {
			return err
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
		if n%1000 == 0 {
			l.draw()
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

// suspend stops the program with the terminal as it was before.
func (l *live) suspend() error {
	if err := l.screen.Suspend(); err != nil {
		return fmt.Errorf("giving the terminal back: %w", err)
	}
	if err := halt(); err != nil {
		return fmt.Errorf("stopping: %w", err)
	}
	if err := l.screen.Resume(); err != nil {
		return fmt.Errorf("taking the terminal again: %w", err)
	}
	return nil
}

func (l *live) size() size {
	width, height := l.screen.Size()
	return size{width, height}
}

// draw brings the screen up to date; only what has changed is sent to the terminal.
func (l *live) draw() {
	z := l.size()
	var lines []line
	lines, l.top = screen(l.state, l.recent.lines, l.top, z, time.Now())
	for row := range z.height {
		var one line
		if row < len(lines) {
			one = lines[row]
		}
		one.put(l.screen, row, l.colours)
	}
	l.screen.Show()
}

// last writes the table where the terminal keeps it, with a line left for the shell.
func (l *live) last(out io.Writer, z size) error {
	z.height--
	var b strings.Builder
	lines, _ := screen(l.state, nil, 0, z, time.Now())
	for _, one := range lines {
		b.WriteString(one.paint(l.colours) + "\n")
	}
	_, err := io.WriteString(out, b.String())
	return err
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

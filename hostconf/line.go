package hostconf

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"sync"
	"time"
)

// A pace says how long things may take.
type pace struct {
	patience time.Duration // for an answer
	first    time.Duration // for all first answers together
	grace    time.Duration // for which what was said outlives who said it
	retry    time.Duration // before the first new attempt; each further pause is twice as long
	rest     time.Duration // the longest pause
	young    time.Duration // how old a program must be to be asked, if it minds; see dhcpcd
	quiet    time.Duration // for which it must have said nothing
}

// usual is the pace outside of tests. A manager is back within seconds where it
// was only restarted.
func usual() pace {
	return pace{patience: 5 * time.Second, first: time.Second, grace: 5 * time.Second, retry: 100 * time.Millisecond, rest: 5 * time.Minute,
		young: 10 * time.Second, quiet: time.Second}
}

// A talker asks one program what it knows and then listens for changes.
type talker interface {
	// talk returns when the conversation is over, always with an error.
	talk(l *line, c *calls) error
}

// A line leads to one program. A goroutine keeps it up until it is cut.
type line struct {
	pace
	info fs.FileInfo // of the socket
	poke func()      // what is said has changed
	cut  context.CancelFunc

	first chan struct{} // closed when something was said

	mu      sync.Mutex
	said    []said
	until   time.Time // when said ceases to be believed; zero: not by time
	err     error
	nudged  bool
	waiting net.Conn // where nothing is due
}

// tell makes known what the program says, or what is wrong with it.
func (l *line) tell(all []said, err error) {
	l.mu.Lock()
	l.err = err
	switch {
	case err == nil:
		l.said, l.until = all, time.Time{}
	case l.until.IsZero():
		l.until = time.Now().Add(l.grace)
	}
	select {
	case <-l.first:
	default:
		close(l.first)
	}
	l.mu.Unlock()
	l.poke()
}

// read adds what is believed to a reading: for a while also what was said by one
// that is silent now.
func (l *line) read(r *reading) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !r.valid(l.until) {
		l.said = nil
	}
	for _, s := range l.said {
		r.hear(s)
	}
	return l.err
}

// keep talks until the context ends, with pauses after failures that grow unless
// the conversation was a long one.
func (l *line) keep(ctx context.Context, t talker, dial dialer) {
	pause := l.retry
	for ctx.Err() == nil {
		began := time.Now()
		err := l.talk(ctx, t, dial)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > 2*l.patience {
			pause = l.retry
		}
		l.tell(nil, err)
		sleep(ctx, pause)
		pause = min(2*pause, l.rest)
	}
}

func (l *line) talk(ctx context.Context, t talker, dial dialer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c := &calls{ctx: ctx, dialer: dial}
	defer c.end()
	return t.talk(l, c)
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// nudge ends the present or the next idle: something else than the program said
// that it has news.
func (l *line) nudge() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.nudged = true
	if l.waiting != nil {
		_ = l.waiting.SetReadDeadline(time.Unix(1, 0)) // fails only if closed, which ends the wait too
	}
}

// idle calls read, which reads from the connection, for as long as it takes or
// until that time; the zero Time never comes. It returns nil when read has, or the
// time has come, or a nudge.
func (l *line) idle(conn net.Conn, until time.Time, read func() error) error {
	l.mu.Lock()
	err := conn.SetReadDeadline(until)
	if l.nudged || err != nil {
		l.nudged = false
		l.mu.Unlock()
		return err
	}
	l.waiting = conn
	l.mu.Unlock()
	err = read()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = nil
	if (l.nudged || !until.IsZero()) && errors.Is(err, os.ErrDeadlineExceeded) {
		err = nil
	}
	l.nudged = false
	return err
}

// A dialer connects to a line's socket.
type dialer func(context.Context) (net.Conn, error)

// calls are the connections of one conversation.
type calls struct {
	ctx context.Context
	dialer
	ends []func()
}

// dial returns a connection that ends with the conversation or its context.
func (c *calls) dial(patience time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(c.ctx, patience)
	defer cancel()
	conn, err := c.dialer(ctx)
	if err != nil {
		return nil, err
	}
	shut := func() { _ = conn.Close() } // nothing is lost by an error
	stop := context.AfterFunc(c.ctx, shut)
	c.ends = append(c.ends, func() { stop(); shut() })
	return conn, nil
}

func (c *calls) end() {
	for _, end := range c.ends {
		end()
	}
}

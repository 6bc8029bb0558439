package happyeyeballs

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"

	"github.com/go-mif/mif"
)

// A race drives a machine: what its Session says is told to the machine, and what
// the machine wants is posted.
type race struct {
	machine *machine
	session *mif.Session
	names   map[mif.InterfaceID]string // present names of interfaces
	timer   *time.Timer
	again   bool // the machine was told something while it was obeyed
	result  *done

	// Connections under check. Those that judge them send verdicts.
	finish   finisher // nil: there is nothing to check
	tls      *tls.Config
	conns    map[mif.ConnectionID]net.Conn // connected, neither won nor lost
	judges   sync.WaitGroup
	verdicts chan verdict
	ctx      context.Context // of the judges
	stop     context.CancelFunc
}

// A verdict on a connection.
type verdict struct {
	id   mif.ConnectionID
	conn net.Conn // fit for use
	err  error
}

func newRace(d *Dialer, t target, c *tls.Config) *race {
	finish := d.finisher(c)
	m := newMachine(t)
	m.rules = rules{d.Require, d.Exclude, d.Prefer}
	m.timing, m.history, m.trace, m.validate = d.timing(), d.memory(), d.Trace, finish != nil
	m.serving = d.serving(c, t)
	r := &race{
		tls:      c,
		machine:  m,
		session:  d.Host.NewSession(),
		names:    map[mif.InterfaceID]string{},
		timer:    time.NewTimer(0),
		finish:   finish,
		conns:    map[mif.ConnectionID]net.Conn{},
		verdicts: make(chan verdict),
	}
	r.ctx, r.stop = context.WithCancel(context.Background())
	return r
}

// close leaves nothing behind.
func (r *race) close() {
	r.stop()
	for _, c := range r.conns {
		c.Close()
	}
	r.session.Close()
	r.timer.Stop()
	r.judges.Wait()
}

// run runs the race in the caller's goroutine. There is a connection, or an end
// without one.
func (r *race) run(ctx context.Context) (net.Conn, *done) {
	r.post(mif.AnnounceInterfaces{})
	r.post(mif.AnnounceProvisioningDomains{})
	for {
		r.again = false
		r.drain()
		if err := ctx.Err(); err != nil {
			r.machine.abort(time.Now(), causeOf(ctx))
		}
		for _, a := range r.machine.step(time.Now()) {
			r.perform(a)
		}
		if r.result != nil {
			break
		}
		if !r.again {
			r.wait(ctx)
		}
	}
	conn := r.conns[r.result.winner]
	delete(r.conns, r.result.winner)
	return conn, r.result
}

// drain tells the machine everything that can be got. All addresses of an
// answer are among that, so that it never acts on half of one.
func (r *race) drain() {
	for {
		e, err := r.session.Get()
		if err == mif.ErrNoMessage {
			return
		}
		if err != nil {
			r.machine.abort(time.Now(), err)
			return
		}
		r.tell(e, time.Now())
	}
}

// wait waits until there may be something to do.
func (r *race) wait(ctx context.Context) {
	select {
	case <-r.session.Ready():
	case <-r.timer.C:
	case <-ctx.Done():
	case v := <-r.verdicts:
		r.judged(v)
	}
}

// perform does what the machine wants.
func (r *race) perform(a action) {
	switch a := a.(type) {
	case ask:
		if err := r.session.Post(mif.TranslateName{ID: a.id, PvD: a.pvd, Name: a.name, Family: a.family}); err != nil {
			r.machine.answered(time.Now(), a.id, err) // such as of a name that is too long
			r.again = true
		}
	case askService:
		if err := r.session.Post(mif.TranslateService{ID: a.id, PvD: a.pvd, Scheme: a.scheme, Name: a.name, Port: a.port}); err != nil {
			r.machine.answered(time.Now(), a.id, err)
			r.again = true
		}
	case start:
		if err := r.session.Post(mif.ConnectToAddress{ID: a.id, PvD: a.pvd, To: a.to}); err != nil {
			r.machine.failed(time.Now(), a.id, err) // such as of a multicast address
			r.again = true
		}
	case check:
		r.check(a.id, a.ech)
	case cancel:
		r.cancel(a.id)
	case wait:
		r.timer.Stop()
		if !a.until.IsZero() {
			r.timer.Reset(time.Until(a.until))
		}
	case done:
		r.result = &a
	}
}

// post posts a request that makes sense. If it is refused, the Host is closed, and
// the race is over.
func (r *race) post(q mif.Request) {
	if err := r.session.Post(q); err != nil {
		r.machine.abort(time.Now(), err)
		r.again = true
	}
}

// check lets a connection be judged.
func (r *race) check(id mif.ConnectionID, ech []byte) {
	conn := r.conns[id]
	r.judges.Go(func() {
		watch := context.AfterFunc(r.ctx, func() { conn.Close() })
		fit, err := r.finish(r.ctx, conn, ech)
		if !watch() && err == nil { // from here on nobody closes the connection but the race
			err = r.ctx.Err()
		}
		select {
		case r.verdicts <- verdict{id, fit, err}:
		case <-r.ctx.Done():
		}
	})
}

// judged tells the machine a verdict, unless the connection is out of the race.
func (r *race) judged(v verdict) {
	if r.conns[v.id] == nil {
		return
	}
	if v.err != nil {
		r.drop(v.id)
		r.machine.failed(time.Now(), v.id, v.err)
		return
	}
	r.conns[v.id] = v.conn
	r.machine.valid(time.Now(), v.id)
}

// cancel ends an attempt. A judge whose connection is closed fails.
func (r *race) cancel(id mif.ConnectionID) {
	if !r.drop(id) {
		r.post(mif.StopConnecting{ID: id})
	}
}

func (r *race) drop(id mif.ConnectionID) bool {
	c := r.conns[id]
	if c != nil {
		c.Close()
	}
	delete(r.conns, id)
	return c != nil
}

// causeOf tells why a context is done: by its Err, and by its cause if that says more.
func causeOf(ctx context.Context) error {
	if cause := context.Cause(ctx); cause != ctx.Err() {
		return &endError{ctx.Err(), cause}
	}
	return ctx.Err()
}

// An endError is the end of a context with a cause of its own.
type endError struct{ err, cause error }

func (e *endError) Error() string   { return e.err.Error() + ": " + e.cause.Error() }
func (e *endError) Unwrap() []error { return []error{e.err, e.cause} }

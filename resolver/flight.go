package resolver

import "time"

// A topic is what a query asks for: a name, fully qualified and in lower case,
// and a type.
type topic struct {
	name string
	kind uint16
}

// A flight is an exchange under way and all who wait for it. Identical
// questions are merged, since each query more would be one more that a forger
// could hit (RFC 5452 §5). If the one who runs the exchange leaves, another
// goes on with it.
type flight struct {
	exchange
	askers int // guarded by the view, as all else but what is found
	landed bool
	loose  bool          // nobody runs the exchange, and nobody waits to
	baton  chan struct{} // who has what is in it runs the exchange; nil while nobody else waits
	done   chan struct{} // closed when there is a finding; nil while nobody else waits
	found  *finding
}

// ask gives the finding for a topic: from the cache, by a flight under way, or
// by one of its own.
func (v *view) ask(p *patience, t topic, turn *turn, fresh bool) *finding {
	if !fresh {
		if f := v.cache.get(t, time.Now()); f != nil {
			return f
		}
	}
	f, joined := v.join(t)
	defer v.leave(t, f)
	if joined {
		turn.end()
		switch f.wait(p) {
		case landed:
			return f.found
		case left:
			return &finding{err: f.timedOut(p)}
		}
	}
	if f.run(p, turn) {
		v.land(t, f, fresh)
		return f.found
	}
	v.pass(f)
	return &finding{err: f.timedOut(p)}
}

// join boards the flight for a topic, or starts one.
func (v *view) join(t topic) (f *flight, joined bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if f = v.flights[t]; f == nil {
		f = v.r.flight()
		f.askers = 1
		f.r, f.topic, f.servers = v.r, t, v.order()
		if len(f.servers) > 0 {
			f.foremost = f.servers[0].addr
		}
		f.events.alarm = v.r.alarm()
		v.flights[t] = f
		return f, false
	}
	f.askers++
	if f.done == nil {
		f.baton, f.done = make(chan struct{}, 1), make(chan struct{})
	}
	if f.loose {
		f.loose = false
		f.baton <- struct{}{}
	}
	return f, true
}

// What ends the wait of an asker.
const (
	piloting = iota // it is to run the exchange
	landed
	left // its patience is at its end
)

// wait waits for the finding, or for the exchange to have nobody who runs it.
func (f *flight) wait(p *patience) int {
	timer := time.NewTimer(time.Until(p.until))
	defer timer.Stop()
	select {
	case <-f.done:
		return landed
	case <-f.baton:
		return piloting
	case <-timer.C:
	case <-p.done():
	case <-p.life:
	}
	return left
}

// pass lets another run the exchange, if there is one who waits.
func (v *view) pass(f *flight) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if f.loose = f.baton == nil; !f.loose {
		f.baton <- struct{}{}
	}
}

// land ends a flight that has a finding, which the one who runs it made.
func (v *view) land(t topic, f *flight, fresh bool) {
	f.found = new(finding)
	f.conclude(f.found)
	if !fresh {
		v.cache.put(t, f.found)
	}
	v.mu.Lock()
	f.landed = true
	delete(v.flights, t)
	if f.done != nil {
		close(f.done)
	}
	v.mu.Unlock()
	f.close()
}

// leave gets off. The last one ends a flight that has not landed. Then nobody knows
// it any more, and its room is for another.
func (v *view) leave(t topic, f *flight) {
	v.mu.Lock()
	f.askers--
	last, over := f.askers == 0, f.askers == 0 && !f.landed
	if over {
		delete(v.flights, t)
	}
	v.mu.Unlock()
	if over {
		f.close()
	}
	if last {
		*f = flight{}
		v.r.flights.Put(f)
	}
}

func (r *Resolver) flight() *flight {
	if f, ok := r.flights.Get().(*flight); ok {
		return f
	}
	return new(flight)
}

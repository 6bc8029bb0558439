package additional

import (
	"errors"
	"slices"
	"time"

	"github.com/go-mif/mif/pvd"
)

// A network is a link while the host is attached to it.
type network struct {
	id       pvd.InterfaceID
	tasks    []*task
	requests []time.Time          // of the last interval, on this network
	last     map[string]time.Time // the last request for a name, in the last interval
	vain     map[string]int       // requests for a name on end of which nothing came
	refused  map[string]bool      // names not to be asked for again
}

func newNetwork(id pvd.InterfaceID) *network {
	return &network{id: id, last: map[string]time.Time{}, vain: map[string]int{}, refused: map[string]bool{}}
}

// A task is a domain with what there is to do for it.
type task struct {
	domain  Domain
	name    string
	due     time.Time // of the next fetch; zero: none
	serial  uint64    // of the fetch under way; 0: none
	fetched *pvd.Fetched
}

// follow takes over which domains there are, and forgets others.
func (n *network) follow(a *step, domains []Domain) {
	n.tasks = slices.DeleteFunc(n.tasks, func(t *task) bool {
		gone := !slices.ContainsFunc(domains, func(d Domain) bool { return d.ID == t.domain.ID })
		if gone {
			n.forget(a, t)
		}
		return gone
	})
	for _, d := range domains {
		i := slices.IndexFunc(n.tasks, func(t *task) bool { return t.domain.ID == d.ID })
		if i < 0 {
			n.tasks = append(n.tasks, newTask(a, d))
			continue
		}
		n.tasks[i].domain, d = d, n.tasks[i].domain
		n.renewed(a, n.tasks[i], d.Option)
	}
}

// leave forgets a network, and tells whether there is something to remember yet: a cable
// that is pulled and plugged in, again and again, must not mean as many requests.
func (n *network) leave(a *step) bool {
	n.follow(a, nil)
	clear(n.vain)
	clear(n.refused)
	n.prune(a.now)
	for _, t := range n.last {
		a.at(t.Add(interval))
	}
	return len(n.last) > 0
}

// newTask is that of a domain which has just come: its information is fetched at once.
func newTask(a *step, d Domain) *task {
	t := &task{domain: d, name: canonical(d.Option.FQDN)}
	if t.wanted() {
		t.due = a.now
	}
	return t
}

// wanted tells whether a domain has information to fetch (RFC 8801 section 4.1).
func (t *task) wanted() bool { return t.domain.Option.HTTP && eligible(t.name) }

// renewed follows the option of a domain. Where it speaks of other information than
// before, what there is of the old is forgotten, and the new is fetched after a random
// delay of up to 2^(10+Delay) ms (RFC 8801 section 4.1).
func (n *network) renewed(a *step, t *task, old pvd.Option) {
	o := t.domain.Option
	if o.HTTP == old.HTTP && o.Sequence == old.Sequence {
		return
	}
	n.forget(a, t)
	if t.wanted() {
		t.due = a.now.Add(a.random(time.Millisecond << (10 + o.Delay&15)))
	}
}

// forget ends what is under way for a domain, and drops what it has. A request that ends so
// is one in vain, too.
func (n *network) forget(a *step, t *task) {
	if t.serial != 0 {
		a.End = append(a.End, t.serial)
		n.vain[t.name]++
	}
	n.set(a, t, nil)
	t.serial, t.due = 0, time.Time{}
}

func (n *network) set(a *step, t *task, f *pvd.Fetched) {
	if t.fetched != f {
		t.fetched = f
		a.changed(n.id)
	}
}

// begin begins the fetches that are due and allowed, those that are due for the longest
// time first, and forgets what has expired.
func (n *network) begin(a *step, serial *uint64) {
	n.prune(a.now)
	slices.SortStableFunc(n.tasks, func(t, u *task) int { return t.due.Compare(u.due) })
	for _, t := range n.tasks {
		n.expire(a, t)
		if t.due.IsZero() || !t.domain.Ready || n.refuses(t) {
			continue
		}
		if at := n.earliest(t); at.After(a.now) {
			a.at(at)
			continue
		}
		*serial++
		t.serial, t.due = *serial, time.Time{}
		n.requests, n.last[t.name] = append(n.requests, a.now), a.now
		a.Begin = append(a.Begin, Fetch{t.domain, t.serial})
	}
}

// prune forgets requests that limit nothing any more.
func (n *network) prune(now time.Time) {
	over := func(t time.Time) bool { return !t.Add(interval).After(now) }
	n.requests = slices.DeleteFunc(n.requests, over)
	for name, t := range n.last {
		if over(t) {
			delete(n.last, name)
		}
	}
}

// refuses tells whether a domain must not be asked for while the host is attached: it was
// in vain before, or too much was. Names of which each is tried once also are too much.
func (n *network) refuses(t *task) bool {
	vain := 0
	for _, tries := range n.vain {
		vain += tries
	}
	return n.refused[t.name] || len(n.refused) >= maxFailures || vain >= maxFailures*maxTries
}

// earliest is when a fetch may begin that is due.
func (n *network) earliest(t *task) time.Time {
	at := t.due
	if last, is := n.last[t.name]; is && last.Add(interval).After(at) {
		at = last.Add(interval)
	}
	if len(n.requests) >= maxRequests {
		if free := n.requests[len(n.requests)-maxRequests].Add(interval); free.After(at) {
			at = free
		}
	}
	return at
}

// expire forgets information that has expired.
func (n *network) expire(a *step, t *task) {
	if t.fetched == nil {
		return
	}
	if end := t.fetched.Information.Expires; end.After(a.now) {
		a.at(end)
		return
	}
	n.set(a, t, nil)
}

// end takes a result, unless it is not wanted any more.
func (n *network) end(a *step, r Result) {
	i := slices.IndexFunc(n.tasks, func(t *task) bool { return t.serial == r.Serial && r.Serial != 0 })
	if i < 0 {
		return
	}
	t := n.tasks[i]
	t.serial = 0
	if r.Err == nil {
		r.Err = Verify(r.Information, t.name, t.domain.Prefixes, a.now)
	}
	switch {
	case r.Err == nil:
		n.took(a, t, r.Information)
	case errors.Is(r.Err, ErrUnreachable):
		n.missed(a, t, r)
	default:
		n.fail(a, t, r)
	}
}

// took takes information over, and plans to fetch it again at a random time in the second
// half of its life (RFC 8801 section 4.1).
func (n *network) took(a *step, t *task, i *pvd.Information) {
	delete(n.vain, t.name)
	n.set(a, t, &pvd.Fetched{PvD: t.domain.ID, Sequence: t.domain.Option.Sequence, Source: wellKnown(t.name), Information: *i})
	t.due = i.Expires.Add(-a.random(i.Expires.Sub(a.now) / 2))
}

// missed tries again later, less and less often, but not for ever. What was fetched before
// holds: nobody said that it is not true any more.
func (n *network) missed(a *step, t *task, r Result) {
	n.vain[t.name]++
	if n.vain[t.name] < maxTries {
		t.due = a.now.Add(interval << n.vain[t.name])
		return
	}
	n.refused[t.name] = true
	a.Failed = append(a.Failed, r)
}

// fail refuses a name while the host is attached, and drops what was fetched before.
func (n *network) fail(a *step, t *task, r Result) {
	n.refused[t.name] = true
	n.set(a, t, nil)
	a.Failed = append(a.Failed, r)
}

package netlink

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

const (
	attempts   = 4 // at everything, at once
	shortPause = 20 * time.Millisecond
	longPause  = time.Second
	manyLinks  = 8 // lists by interface that cost more than one of all
)

// errTorn is the failure of a list that can be asked for again.
var errTorn = errors.New("list torn")

// listAll owes a list of everything.
func (w *Watcher) listAll() {
	w.stale = 0
	w.safety = time.Now().Add(w.config.SafetyInterval)
	for k := range listKinds {
		if w.quick(k) {
			w.stale |= 1 << k
			w.tables.owed.whole(k)
		}
	}
	w.tables.unsure[listRoutes4], w.tables.unsure[listRoutes6] = true, true
}

// quick tells of those lists that everything is known by: of unicast routes where the
// kernel can leave out the rest, else of all.
func (w *Watcher) quick(k listKind) bool {
	return k.routes() == afUnspec || k.unicast() == (w.socket.strict && !w.config.thorough)
}

// settleLists asks for the lists that are due, and for those that become due by
// what they tell. What does not succeed is owed later: the later, the oftener it
// was in vain.
func (w *Watcher) settleLists() error {
	w.tables.dueChecks()
	if len(w.tables.owed) == 0 {
		return nil
	}
	var torn []target
	for range attempts {
		due := w.due()
		if len(due) == 0 {
			break
		}
		for _, of := range due {
			again, err := w.listTarget(of, due)
			if err != nil {
				return err
			}
			if again {
				torn = append(torn, target{of.kind, 0})
			}
		}
	}
	if torn = append(torn, w.due()...); len(torn) == 0 { // else it is enough for now
		w.pause = 0
		return nil
	}
	w.pause = min(max(2*w.pause, shortPause), longPause)
	for _, of := range torn {
		w.tables.owed.later(of, w.tables.now.Add(w.pause))
	}
	return nil
}

// due takes what is owed now, in the order in which things depend on each other.
func (w *Watcher) due() []target {
	t, count := w.tables, [listKinds]int{}
	for of, at := range t.owed {
		if !at.After(t.now) {
			count[of.kind]++
		}
	}
	var due []target
	for of, at := range t.owed {
		if at.After(t.now) {
			continue
		}
		delete(t.owed, of)
		if all := (target{of.kind, 0}); count[of.kind] > manyLinks && of != all {
			of = all
		}
		due = append(due, of)
	}
	slices.SortFunc(due, func(a, b target) int {
		if a.kind != b.kind {
			return int(a.kind) - int(b.kind)
		}
		return int(a.index) - int(b.index)
	})
	return slices.Compact(due)
}

// listTarget lists what is due, and tells whether it must be listed again.
func (w *Watcher) listTarget(of target, due []target) (again bool, err error) {
	if w.skip(of, due) {
		return false, nil
	}
	again, err = w.listOne(of)
	if w.lost {
		return false, w.overrun()
	}
	if errors.Is(err, errTorn) {
		w.config.Log.Debug("list torn", "kind", of.kind, "err", err)
		return true, nil
	}
	if err == nil && !again && of.index == 0 {
		w.listed(of.kind)
	}
	return again, err
}

// listed counts the kinds that remain to be listed after a loss, and until it is
// time for the next safety.
func (w *Watcher) listed(kind listKind) {
	w.generation.Add(1)
	if w.stale &^= 1 << kind; w.stale == 0 && w.behind {
		w.behind, w.resynced = false, true
	}
}

// skip tells that a list of one interface's routes has nothing to find.
func (w *Watcher) skip(of target, due []target) bool {
	if of.index == 0 {
		return false
	}
	l := w.tables.links[of.index]
	routes := of.kind.routes() != afUnspec
	return l == nil || routes && l.first == nil || slices.Contains(due, target{of.kind, 0})
}

// listOne lists one target and tells whether it should be listed again.
func (w *Watcher) listOne(of target) (again bool, err error) {
	if of.kind != listLinks && of.kind != listRules {
		if err := w.barrier(); err != nil {
			return false, err
		}
	}
	w.seq++
	if err := w.socket.send(w.dump(of)); err != nil {
		return false, fmt.Errorf("list: %w", err)
	}
	w.lists++
	d := w.tables.begin(w.scope(of), w.lists)
	if err := w.read(w.replies); err != nil {
		w.tables.abandon()
		return true, err
	}
	if d.interrupted {
		w.tables.abandon()
		return true, nil
	}
	w.tables.end()
	return d.disturbed, nil
}

// scope is what a list will be of: without filters, of all.
func (w *Watcher) scope(of target) target {
	if !w.socket.strict && of.kind != listLinks {
		of.index = 0
	}
	return of
}

// barrier waits for changes under way to be complete. The kernel tells of an
// interface's new state before it drops the routes for it, under a lock that
// lists of routes do without, but a request for an interface does not.
func (w *Watcher) barrier() error {
	w.seq++
	w.request = request(w.request[:0], rtmGetLink, unix.NLM_F_REQUEST, w.seq, make([]byte, unix.SizeofIfInfomsg))
	host.PutUint32(w.request[headerLen+4:], 1)
	if err := w.socket.send(w.request); err != nil {
		return fmt.Errorf("request: %w", err)
	}
	return w.read(w.answered) // or it would take the room of what comes next
}

// answered tells whether a datagram answers the last request.
func (w *Watcher) answered(b []byte) (bool, error) {
	m, _, ok := cutMessage(b)
	return ok && m.seq == w.seq, nil
}

// read reads replies until done says so, folding events in their turn.
func (w *Watcher) read(done func(reply []byte) (bool, error)) error {
	for {
		n, err := w.socket.receive(false, 1)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return fmt.Errorf("%w: it stopped", errTorn)
		case errors.Is(err, unix.ENOBUFS):
			w.lost = true
			continue
		case err != nil:
			return err
		}
		w.tables.now = time.Now()
		for i := range n {
			b, event, whole := w.socket.take(i)
			w.lost = w.lost || !whole
			if event {
				w.events(b)
			} else if end, err := done(b); end || err != nil {
				return err
			}
		}
	}
}

// replies folds a datagram of a list, and tells whether it was the last.
func (w *Watcher) replies(b []byte) (done bool, err error) {
	for {
		m, rest, ok := cutMessage(b)
		if !ok {
			return false, nil
		}
		b = rest
		if m.seq != w.seq {
			continue
		}
		if m.flags&nlmFDumpInterrupted != 0 {
			w.tables.list.interrupted = true
		}
		switch m.kind {
		case nlmsgDone, nlmsgError:
			return true, listError(&m)
		}
		w.tables.entry(&m)
	}
}

// listError is how a list ended. One that the kernel does not know, or of an
// interface that is no more, is empty.
func listError(m *message) error {
	e := unix.Errno(-int32(number(m.body)))
	switch e {
	case 0, unix.EOPNOTSUPP, unix.EPROTONOSUPPORT, unix.EAFNOSUPPORT, unix.ENODEV, unix.ENOENT:
		return nil
	case unix.ENOBUFS, unix.EBUSY, unix.EINTR, unix.EAGAIN, unix.ENOMEM:
		return fmt.Errorf("%w: %w", errTorn, e)
	}
	return fmt.Errorf("list: %w", e)
}

// dump is the request for a list.
func (w *Watcher) dump(of target) []byte {
	const flags = unix.NLM_F_REQUEST | unix.NLM_F_DUMP
	switch of.kind {
	case listLinks:
		flags := uint16(flags)
		if of.index != 0 {
			flags = unix.NLM_F_REQUEST | unix.NLM_F_ACK
		}
		w.request = request(w.request[:0], rtmGetLink, flags, w.seq, make([]byte, unix.SizeofIfInfomsg))
		host.PutUint32(w.request[headerLen+4:], uint32(of.index))
		w.request = attribute(w.request, iflaExtMask, skipStats)
	case listAddresses:
		w.request = request(w.request[:0], rtmGetAddr, flags, w.seq, make([]byte, unix.SizeofIfAddrmsg))
		if w.socket.strict {
			host.PutUint32(w.request[headerLen+4:], uint32(of.index))
		}
	case listObjects:
		w.request = request(w.request[:0], rtmGetNexthop, flags, w.seq, make([]byte, 8))
	case listRules:
		w.request = request(w.request[:0], rtmGetRule, flags, w.seq, make([]byte, ruleHeaderLen))
	default:
		w.dumpRoutes(of, flags)
	}
	return w.request
}

func (w *Watcher) dumpRoutes(of target, flags uint16) {
	body := make([]byte, unix.SizeofRtMsg)
	if body[0] = of.kind.routes(); of.kind.unicast() {
		body[7] = typeUnicast
	}
	w.request = request(w.request[:0], rtmGetRoute, flags, w.seq, body)
	if of.index != 0 && w.socket.strict {
		w.request = attribute(w.request, rtaOIF, uint32(of.index))
	}
}

// request appends a request without attributes.
func request(b []byte, kind, flags uint16, seq uint32, body []byte) []byte {
	b = host.AppendUint32(b, uint32(headerLen+len(body)))
	b = host.AppendUint16(b, kind)
	b = host.AppendUint16(b, flags)
	b = host.AppendUint32(b, seq)
	b = host.AppendUint32(b, 0)
	return append(b, body...)
}

// attribute appends an attribute that is a number to a request.
func attribute(b []byte, kind uint16, v uint32) []byte {
	b = host.AppendUint16(b, 8)
	b = host.AppendUint16(b, kind)
	b = host.AppendUint32(b, v)
	host.PutUint32(b, uint32(len(b)))
	return b
}

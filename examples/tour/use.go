package main

import (
	"io"
	"time"

	"github.com/go-mif/mif"
)

// use uses the best connection, stops what is still under way and closes the rest.
func (a *app) use(best *attempt) error {
	a.ending = true
	a.stop()
	if err := a.until(a.stopped); err != nil {
		return err
	}
	for _, t := range a.attempts {
		if t.conn != nil {
			defer t.conn.Close()
		}
	}
	if best == nil {
		a.view.end(nil)
		return a.nothing()
	}
	a.view.note("The best is %v: %s", best.domain, best.why())
	a.exchange(best)
	a.drop(best)
	a.view.end(best)
	return nil
}

// stop stops the attempts that nothing came of.
func (a *app) stop() {
	for _, t := range a.attempts {
		if !t.over() {
			a.ask(mif.StopConnecting{ID: t.id})
		}
	}
}

func (a *app) stopped() bool {
	for _, t := range a.attempts {
		if !t.over() {
			return false
		}
	}
	return true
}

func (t *attempt) why() string {
	if t.answered > 0 {
		return "its peer was the first to answer. It is used, the others are closed"
	}
	return "no peer said anything, and it connected first"
}

// exchange reads what the peer of the best connection says.
func (a *app) exchange(best *attempt) {
	best.conn.SetReadDeadline(time.Now().Add(patience))
	b := make([]byte, 4096)
	n, err := best.conn.Read(b)
	if err == io.EOF {
		err = nil
	}
	a.view.reply(best, string(b[:n]), err)
}

// drop closes the connections that are not the best.
func (a *app) drop(best *attempt) {
	for _, t := range a.attempts {
		if t.conn != nil && t != best {
			t.conn.Close()
		}
	}
}

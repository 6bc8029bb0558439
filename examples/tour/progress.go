package main

import (
	"errors"
	"fmt"
)

// known tells whether everything there is was told.
func (a *app) known() bool {
	ready := 0
	for _, d := range a.domains {
		if !d.gone && len(d.known()) > 0 {
			ready++
		}
	}
	return a.open == 0 && ready >= a.stage.domains
}

func (a *app) translated() bool {
	for _, d := range a.domains {
		if d.asked && !d.translated && !d.gone {
			return false
		}
	}
	return true
}

// answered tells whether every attempt is decided and every peer has spoken.
func (a *app) answered() bool {
	for _, t := range a.attempts {
		if !t.over() || t.conn != nil && t.answered == 0 {
			return false
		}
	}
	return a.translated()
}

var errNothing = errors.New("no connection was made")

// best is the connection whose peer was the first to say something; if none did, the
// one that was made fastest.
func (a *app) best() *attempt {
	var best *attempt
	for _, t := range a.attempts {
		if t.conn != nil && (best == nil || t.before(best)) {
			best = t
		}
	}
	return best
}

func (t *attempt) before(o *attempt) bool {
	if (t.answered > 0) != (o.answered > 0) {
		return t.answered > 0
	}
	if t.answered != o.answered {
		return t.answered < o.answered
	}
	return t.took < o.took
}

// nothing is the error if there is no connection to use.
func (a *app) nothing() error {
	switch {
	case a.ctx.Err() != nil:
		return fmt.Errorf("%w in the time there was", errNothing)
	case len(a.domains) == 0:
		return fmt.Errorf("%w: there is no provisioning domain on this host", errNothing)
	}
	return fmt.Errorf("%w to %s port %d in any of %d domains", errNothing, a.stage.name, a.stage.port, len(a.domains))
}

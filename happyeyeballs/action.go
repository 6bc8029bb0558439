package happyeyeballs

import (
	"net/netip"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/pvd"
)

// An action is what a machine wants done.
type action interface{ action() }

type (
	// ask: translate a name. The machine wants answer and answered.
	ask struct {
		id     mif.TranslationID
		pvd    mif.PvDID
		name   string
		family pvd.Family
	}
	// askService: translate a service. The machine wants service and answered.
	askService struct {
		id     mif.TranslationID
		pvd    mif.PvDID
		scheme string
		name   string
		port   uint16
	}
	// start: connect. The machine wants connected or failed.
	start struct {
		id  mif.ConnectionID
		pvd mif.PvDID
		to  netip.AddrPort
	}
	// check: validate a connection. The machine wants valid or failed. If there are
	// keys, the hello of TLS is to be encrypted with them.
	check struct {
		id  mif.ConnectionID
		ech []byte
	}
	// cancel: end an attempt, or close what it has connected. Nothing more is wanted.
	cancel struct{ id mif.ConnectionID }
	// wait: call step not later than this, or when something has happened. It is the
	// last action of a step; a zero time is no time.
	wait struct{ until time.Time }
	// done: the race is over. Without a winner, all was tried, or it was aborted. It is
	// the last action of all. Look-ups under way are to be stopped.
	done struct {
		winner   mif.ConnectionID // 0: none
		failures []*Failure
		err      error // of abort, or ErrNoDomain
	}
)

func (ask) action()        {}
func (askService) action() {}
func (start) action()      {}
func (check) action()      {}
func (cancel) action()     {}
func (wait) action()       {}
func (done) action()       {}

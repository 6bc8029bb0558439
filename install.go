package mif

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/go-mif/mif/connect"
	"github.com/go-mif/mif/pvd"
)

// routes keeps the rules and routes of Config.InstallRoutes as the domains are.
type routes struct {
	kick      chan struct{} // tells that there is a new Snapshot; nil: nothing is to be installed
	installer installer
	lack      atomic.Pointer[error] // why they are not as they should be
	done      atomic.Pointer[installed]
}

// installed tells up to which Snapshot the routes were looked after.
type installed struct {
	seq   uint64
	later chan struct{} // closed when that is no longer the last
}

// installer is *connect.Installer, or a fake in tests.
type installer interface {
	Install([]connect.Domain) error
	Close() error
}

// openRoutes opens the installer, if it is wanted. Lacking the privilege, the Host
// goes on without.
func (h *Host) openRoutes() {
	if !h.config.InstallRoutes {
		return
	}
	i, err := connect.OpenInstaller(h.config.NetNS)
	if err != nil {
		h.routes.fail(fmt.Errorf("mif: InstallRoutes: %w", err))
		if h.config.Log != nil {
			h.config.Log.Warn("routes are not installed; CAP_NET_ADMIN would allow it", "err", err)
		}
		return
	}
	h.routes.installer, h.routes.kick = i, make(chan struct{}, 1)
	h.routes.done.Store(&installed{later: make(chan struct{})})
	h.routes.kick <- struct{}{}
	h.running.Go(h.installRoutes)
}

// installRoutes is the goroutine that installs what each Snapshot asks for, the
// newest first.
func (h *Host) installRoutes() {
	for {
		select {
		case <-h.routes.kick:
			s := h.Snapshot()
			h.routes.fail(h.routes.installer.Install(connectDomains(s)))
			old := h.routes.done.Swap(&installed{s.Seq(), make(chan struct{})})
			close(old.later)
		case <-h.end.Done():
			return
		}
	}
}

// changed tells the goroutine that there is a new Snapshot. It does not wait.
func (r *routes) changed() {
	select {
	case r.kick <- struct{}{}:
	default:
	}
}

// await waits until the routes are as a Snapshot asks for, if any are installed.
func (r *routes) await(ctx context.Context, s *pvd.Snapshot) {
	for i := r.done.Load(); i != nil && i.seq < s.Seq(); i = r.done.Load() {
		select {
		case <-i.later:
		case <-ctx.Done():
			return
		}
	}
}

func (r *routes) fail(err error) { r.lack.Store(&err) }

// routesSource tells how the installing goes, if it is wanted.
func (h *Host) routesSource() []Source {
	if !h.config.InstallRoutes {
		return nil
	}
	s := Source{Name: "installed routes"}
	if err := h.routes.lack.Load(); err != nil {
		s.Err = *err
	}
	return []Source{s}
}

func (r *routes) close() error {
	if r.installer == nil {
		return nil
	}
	return r.installer.Close()
}

// connectDomains are all domains in the terms of package connect, in order.
func connectDomains(s *pvd.Snapshot) (all []connect.Domain) {
	for d := range s.Domains() {
		all = append(all, asConnect(d))
	}
	return all
}

package connect

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// hold takes a slot for as long as the descriptor is open. An abstract name is of the
// network namespace, like the tables, and goes with the process, however that ends.
func (k kernel) hold(slot int) (fd int, err error) {
	fd, err = socketIn(k.netns, unix.AF_UNIX, unix.SOCK_DGRAM, 0)
	if err != nil {
		return -1, err
	}
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: fmt.Sprintf("@mif-routes-%d", slot)}); err != nil {
		unix.Close(fd)
		return -1, os.NewSyscallError("bind", err)
	}
	return fd, nil
}

func (k kernel) freeSlot() (slot, fd int, err error) {
	for slot := range slots {
		fd, err := k.hold(slot)
		if err == nil {
			return slot, fd, nil
		}
		if !errors.Is(err, unix.EADDRINUSE) {
			return 0, -1, err
		}
	}
	return 0, -1, fmt.Errorf("all %d slots are taken: %w", slots, unix.EUSERS)
}

// sweep removes what is left in the caller's own slot and in those nobody holds.
func (r *routeSocket) sweep(k kernel, own int) error {
	used, err := r.usedSlots()
	if err != nil {
		return err
	}
	for slot := range used {
		if slot != own {
			fd, err := k.hold(slot)
			if err != nil {
				continue // somebody's
			}
			defer unix.Close(fd)
		}
		if err := r.clearSlot(slot); err != nil {
			return err
		}
	}
	return nil
}

func (r *routeSocket) clearSlot(slot int) error {
	have, err := r.ours(slot)
	if err != nil {
		return err
	}
	return r.apply(have, &plan{})
}

// ours is what the kernel has of a slot.
func (r *routeSocket) ours(slot int) (*plan, error) {
	have := &plan{rules: map[sourceRule]bool{}, routes: map[tableRoute]bool{}}
	err := r.eachOfOurs(func(x sourceRule) {
		if x.slot() == slot {
			have.rules[x] = true
		}
	}, func(x tableRoute) {
		if x.slot() == slot {
			have.routes[x] = true
		}
	})
	return have, err
}

func (r *routeSocket) usedSlots() (map[int]bool, error) {
	used := map[int]bool{}
	err := r.eachOfOurs(
		func(x sourceRule) { used[x.slot()] = true },
		func(x tableRoute) { used[x.slot()] = true })
	return used, err
}

// eachOfOurs visits the rules and routes that have both our protocol and a number in
// our range.
func (r *routeSocket) eachOfOurs(rule func(sourceRule), route func(tableRoute)) error {
	for _, family := range []uint8{familyIPv4, familyIPv6} {
		rules, err := r.dumpRules(family)
		if err != nil {
			return err
		}
		for _, x := range rules {
			if x.slot() >= 0 {
				rule(x)
			}
		}
		routes, err := r.dumpRoutes(routeFilter{family: family, protocol: InstallerProtocol})
		if err != nil {
			return err
		}
		for _, x := range routes {
			if x.slot() >= 0 {
				route(x)
			}
		}
	}
	return nil
}

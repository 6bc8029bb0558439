package hostconf

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	maskEntries = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO | unix.IN_ATTRIB |
		unix.IN_DELETE_SELF | unix.IN_MOVE_SELF | unix.IN_ONLYDIR
	maskClosed  = maskEntries | unix.IN_CLOSE_WRITE
	maskWritten = maskClosed | unix.IN_MODIFY
)

func (c changes) mask() uint32 {
	return [...]uint32{entries: maskEntries, closed: maskClosed, written: maskWritten}[c]
}

// inotify is the notifier of inotify(7).
type inotify struct {
	root    string
	events  *os.File
	watches map[int]changes // by watch descriptor
	failure error
	poked   atomic.Bool
}

// newNotifier never fails: if the host has no inotify instance to give, changes
// go unnoticed.
func newNotifier(root string) (notifier, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return newDeaf(fmt.Errorf("hostconf: no notice of changes: %w", os.NewSyscallError("inotify_init1", err))), nil
	}
	return &inotify{root: root, events: os.NewFile(uintptr(fd), "inotify")}, nil
}

func (n *inotify) problem() error { return n.failure }

func (n *inotify) poke() {
	n.poked.Store(true)
	_ = n.events.SetReadDeadline(time.Unix(1, 0)) // fails only if closed, which ends the wait too
}

func (n *inotify) close() error {
	if err := n.events.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("hostconf: %w", err)
	}
	return nil
}

func (n *inotify) arm(dirs map[string]changes) (news bool) {
	raw, err := n.events.SyscallConn()
	if err != nil {
		return false
	}
	n.failure = nil
	err = raw.Control(func(fd uintptr) { news = n.watch(int(fd), dirs) })
	return news && err == nil
}

// watch asks the kernel for all directories, also for those that are watched: a
// directory can be another than the one that had the name. What a watch notices
// only grows while it lasts, so that nothing is missed while a directory that has
// two names is asked for by both.
func (n *inotify) watch(fd int, dirs map[string]changes) (news bool) {
	watches := map[int]changes{}
	for dir, c := range dirs {
		wd, err := unix.InotifyAddWatch(fd, filepath.Join(n.root, dir), c.mask()|unix.IN_MASK_ADD)
		switch {
		case errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR):
			news = true // it was there a moment ago
		case err != nil:
			n.failure = fmt.Errorf("hostconf: no notice of changes in %s: %w", dir, os.NewSyscallError("inotify_add_watch", err))
		default:
			news = news || c > n.watches[wd]
			watches[wd] = max(watches[wd], n.watches[wd], c)
		}
	}
	for wd := range n.watches {
		if watches[wd] == 0 {
			// An error means that the directory is gone, and the watch with it.
			_, _ = unix.InotifyRmWatch(fd, uint32(wd))
		}
	}
	n.watches = watches
	return news
}

// wait reads the events that there are, only to know that there are some: what
// they say of a file can be outdated when the file is read.
func (n *inotify) wait(ctx context.Context, until time.Time) error {
	if err := n.events.SetReadDeadline(until); err != nil {
		return fmt.Errorf("hostconf: inotify: %w", err)
	}
	if n.poked.Swap(false) { // before the deadline above, which would hide it
		return ctx.Err()
	}
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(interrupted)
		_ = n.events.SetReadDeadline(time.Unix(1, 0)) // fails only if closed, which ends the read too
	})
	var buf [4096]byte
	_, err := n.events.Read(buf[:])
	if !stop() {
		<-interrupted
	}
	n.poked.Store(false)
	switch {
	case err == nil:
		return nil
	case !errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("hostconf: inotify: %w", err)
	}
	return ctx.Err()
}

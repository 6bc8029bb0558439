package hostconf

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/godbus/dbus/v5"
)

var (
	errNotRunning = fmt.Errorf("does not run: %w", fs.ErrNotExist)
	errSilent     = errors.New("does not answer")
)

// A program answers on the bus.
type program interface {
	// name is the program's on the bus.
	name() string
	// rules are matched by the signals that tell of changes.
	rules() []string
	// signal takes one of them, or any other.
	signal(m *dbus.Message)
	// ask asks for what is new. An error that is no busError ends the connection.
	ask(b *bus) ([]said, error)
}

// A busTalker talks to a program, which starts afresh with every connection.
type busTalker struct{ program func() program }

// talk asks at first and after every message. One that stopped without leaving is
// asked again when its answer comes after all.
func (t busTalker) talk(l *line, c *calls) error {
	p := t.program()
	b, err := openBus(l, c, p.signal)
	if err != nil {
		return err
	}
	rules := append(p.rules(), "type='signal',sender='"+busName+"',interface='"+busName+"',member='NameOwnerChanged',arg0='"+p.name()+"'")
	for _, rule := range rules {
		if _, err := b.call(busName, "/org/freedesktop/DBus", busName, "AddMatch", rule); err != nil {
			return err
		}
	}
	for {
		all, err := p.ask(b)
		if err = b.judge(err); err != nil && !errors.Is(err, errNotRunning) && !errors.Is(err, errSilent) && !errors.As(err, new(busError)) {
			return err
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", p.name(), err)
		}
		l.tell(all, err)
		if err := b.wait(); err != nil {
			return err
		}
	}
}

// judge says what an error means.
func (b *bus) judge(err error) error {
	var e busError
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, errMessage):
		return errSilent
	case !errors.As(err, &e):
		return err
	}
	switch e.name {
	case "org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner":
		return errNotRunning
	case "org.freedesktop.DBus.Error.NoReply", "org.freedesktop.DBus.Error.Timeout":
		return errSilent
	}
	return err
}

// properties are the rule for changes of an interface's properties.
func properties(sender, iface string) string {
	return "type='signal',sender='" + sender + "',interface='org.freedesktop.DBus.Properties',member='PropertiesChanged',arg0='" + iface + "'"
}

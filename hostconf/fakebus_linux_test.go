package hostconf

import (
	"bufio"
	"io"
	"net"
	"slices"
	"strings"
	"sync"

	"github.com/godbus/dbus/v5"
)

// A fakeBus is a message bus on which answers do all: one function for each
// method, by interface and name.
type fakeBus struct {
	*peer
	mu      sync.Mutex
	answers map[string]func(args []any) []any
	silent  bool // answers nobody but the bus itself does
	rules   []string
	called  []string
	conns   map[net.Conn]uint32 // with the last serial number
	owed    []func()
}

func (r *rig) bus() *fakeBus {
	b := &fakeBus{answers: map[string]func([]any) []any{}, conns: map[net.Conn]uint32{}}
	b.peer = r.peer(busSocket, b.serve)
	return b
}

func (b *fakeBus) answer(method string, f func(args []any) []any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answers[method] = f
}

// quit ends whoever answers for a method.
func (b *fakeBus) quit(method string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.answers, method)
}

// methods are those that were called.
func (b *fakeBus) methods() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.called)
}

func (b *fakeBus) serve(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	if !welcome(conn, in) {
		return
	}
	for {
		m, err := readMessage(in)
		if err != nil {
			return
		}
		b.mu.Lock()
		b.reply(conn, m)
		b.mu.Unlock()
	}
}

func welcome(conn net.Conn, in *bufio.Reader) bool {
	for _, step := range []struct{ want, answer string }{{"\x00AUTH EXTERNAL\r\n", "DATA\r\n"}, {"DATA\r\n", "OK 0123456789abcdef\r\n"}, {"BEGIN\r\n", ""}} {
		if got, err := in.ReadString('\n'); err != nil || got != step.want {
			return false
		}
		io.WriteString(conn, step.answer)
	}
	return true
}

// reply is called with the lock held.
func (b *fakeBus) reply(conn net.Conn, m *dbus.Message) {
	to, _ := m.Headers[dbus.FieldDestination].Value().(string)
	iface, _ := m.Headers[dbus.FieldInterface].Value().(string)
	member, _ := m.Headers[dbus.FieldMember].Value().(string)
	a := &dbus.Message{Type: dbus.TypeMethodReply, Headers: map[dbus.HeaderField]dbus.Variant{}}
	a.Headers[dbus.FieldReplySerial] = dbus.MakeVariant(m.Serial())
	f, ok := b.answers[to+" "+member]
	b.called = append(b.called, to+" "+member)
	switch {
	case iface == busName && member == "AddMatch":
		b.rules = append(b.rules, m.Body[0].(string))
	case iface == busName:
		a.Body = []any{":1.1"}
	case b.silent:
		b.owed = append(b.owed, func() { b.send(conn, a) })
		return
	case ok:
		a.Body = f(m.Body)
	default:
		a.Type = dbus.TypeError
		a.Headers[dbus.FieldErrorName] = dbus.MakeVariant("org.freedesktop.DBus.Error.NameHasNoOwner")
	}
	b.send(conn, a)
}

func (b *fakeBus) send(conn net.Conn, m *dbus.Message) {
	if len(m.Body) > 0 {
		m.Headers[dbus.FieldSignature] = dbus.MakeVariant(dbus.SignatureOf(m.Body...))
	}
	b.conns[conn]++
	writeMessage(conn, m, b.conns[conn])
}

// emit sends a signal to all whose rules fit, as far as these tests have any.
func (b *fakeBus) emit(path, iface, member string, body ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	about, _ := body[0].(string)
	for _, rule := range b.rules {
		if !strings.Contains(rule, "member='"+member+"'") || !strings.Contains(rule, "arg0='"+about+"'") {
			continue
		}
		for conn := range b.conns {
			b.send(conn, &dbus.Message{Type: dbus.TypeSignal, Body: body, Headers: map[dbus.HeaderField]dbus.Variant{
				dbus.FieldPath:      dbus.MakeVariant(dbus.ObjectPath(path)),
				dbus.FieldInterface: dbus.MakeVariant(iface),
				dbus.FieldMember:    dbus.MakeVariant(member),
				dbus.FieldSender:    dbus.MakeVariant(":1.7"),
			}})
		}
	}
}

// changed tells of changed properties.
func (b *fakeBus) changed(path, iface string) {
	b.emit(path, "org.freedesktop.DBus.Properties", "PropertiesChanged", iface, map[string]dbus.Variant{}, []string{})
}

// owner tells that a name has another owner.
func (b *fakeBus) owner(name, old, now string) {
	b.emit("/org/freedesktop/DBus", busName, "NameOwnerChanged", name, old, now)
}

// speak ends the silence: all is answered, with nothing.
func (b *fakeBus) speak() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.silent = false
	for _, f := range b.owed {
		f()
	}
	b.owed = nil
}

// mute begins a silence.
func (b *fakeBus) mute() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.silent = true
}

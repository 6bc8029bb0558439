package hostconf

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
)

const (
	busSocket  = "/run/dbus/system_bus_socket"
	maxBurst   = 256     // messages that are read before anything is made of them
	maxMessage = 8 << 20 // octets of one message of the bus
	busName    = "org.freedesktop.DBus"
	busHeader  = 16 // octets that every message begins with
)

var (
	errMessage = errors.New("not a message of a bus")
	errRefused = errors.New("the bus does not let us in")
)

// A bus is a connection to the message bus (D-Bus specification 0.42) that one
// goroutine uses. Messages are read when it waits for one, and no others are kept
// than the answer to its last call.
type bus struct {
	line   *line
	conn   net.Conn
	in     *bufio.Reader
	serial uint32
	signal func(*dbus.Message)
}

// openBus connects and says hello. Signals are given to a function while the bus
// is read.
func openBus(l *line, c *calls, signal func(*dbus.Message)) (*bus, error) {
	conn, err := c.dial(l.patience)
	if err != nil {
		return nil, err
	}
	b := &bus{line: l, conn: conn, in: bufio.NewReader(conn), signal: signal}
	if err := b.authenticate(); err != nil {
		return nil, fmt.Errorf("authentication: %w", err)
	}
	_, err = b.call(busName, "/org/freedesktop/DBus", busName, "Hello")
	return b, err
}

func (b *bus) hurry() error { return b.conn.SetDeadline(time.Now().Add(b.line.patience)) }

// authenticate has the bus ask the kernel who we are. No identity is claimed,
// since the number could be another there.
func (b *bus) authenticate() error {
	if err := b.hurry(); err != nil {
		return err
	}
	if _, err := io.WriteString(b.conn, "\x00AUTH EXTERNAL\r\nDATA\r\n"); err != nil {
		return err
	}
	for _, want := range []string{"DATA", "OK"} {
		s, err := b.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if word, _, _ := strings.Cut(strings.TrimSpace(string(s)), " "); word != want {
			return errRefused
		}
	}
	_, err := io.WriteString(b.conn, "BEGIN\r\n")
	return err
}

// A busError is an error that a program or the bus answered.
type busError struct{ name string }

func (e busError) Error() string { return "bus: " + e.name }

// call calls a method and returns what it returns. It starts no program.
func (b *bus) call(to, path, iface, method string, args ...any) ([]any, error) {
	b.serial++
	if err := b.hurry(); err != nil {
		return nil, fmt.Errorf("%s: %w", method, err)
	}
	if err := b.send(to, path, iface, method, args); err != nil {
		return nil, fmt.Errorf("%s: %w", method, err)
	}
	for {
		if err := b.hurry(); err != nil {
			return nil, fmt.Errorf("%s: %w", method, err)
		}
		m, err := b.receive()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", method, err)
		}
		if serial, _ := m.Headers[dbus.FieldReplySerial].Value().(uint32); serial != b.serial {
			continue
		}
		switch m.Type {
		case dbus.TypeMethodReply:
			return m.Body, nil
		case dbus.TypeError:
			name, _ := m.Headers[dbus.FieldErrorName].Value().(string)
			return nil, fmt.Errorf("%s: %w", method, busError{name})
		}
	}
}

func (b *bus) send(to, path, iface, method string, args []any) error {
	m := dbus.Message{Type: dbus.TypeMethodCall, Flags: dbus.FlagNoAutoStart, Body: args, Headers: map[dbus.HeaderField]dbus.Variant{
		dbus.FieldDestination: dbus.MakeVariant(to),
		dbus.FieldPath:        dbus.MakeVariant(dbus.ObjectPath(path)),
		dbus.FieldInterface:   dbus.MakeVariant(iface),
		dbus.FieldMember:      dbus.MakeVariant(method),
	}}
	if len(args) > 0 {
		m.Headers[dbus.FieldSignature] = dbus.MakeVariant(dbus.SignatureOf(args...))
	}
	return writeMessage(b.conn, &m, b.serial)
}

// writeMessage writes a message with a serial number, which the codec has no way
// to set.
func writeMessage(to io.Writer, m *dbus.Message, serial uint32) error {
	var w bytes.Buffer
	if err := m.EncodeTo(&w, binary.LittleEndian); err != nil {
		return err
	}
	binary.LittleEndian.PutUint32(w.Bytes()[8:], serial)
	_, err := to.Write(w.Bytes())
	return err
}

// receive reads a message; one that is a signal was given away. The error is a
// time-out, with nothing lost, only if no message came.
func (b *bus) receive() (*dbus.Message, error) {
	if _, err := b.in.Peek(busHeader); err != nil {
		return nil, err
	}
	m, err := readMessage(b.in)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", errMessage, err)
	}
	if m.Type == dbus.TypeSignal {
		b.signal(m)
	}
	return m, nil
}

// readMessage reads one message. Bytes that make the codec panic are an error.
func readMessage(in *bufio.Reader) (m *dbus.Message, err error) {
	h, err := in.Peek(busHeader)
	if err != nil {
		return nil, err
	}
	order := binary.ByteOrder(binary.LittleEndian)
	if h[0] == 'B' {
		order = binary.BigEndian
	}
	if n := uint64(order.Uint32(h[4:])) + uint64(order.Uint32(h[12:])); n > maxMessage {
		return nil, fmt.Errorf("%d octets", n)
	}
	defer func() {
		if p := recover(); p != nil {
			m, err = nil, fmt.Errorf("%v", p)
		}
	}()
	return dbus.DecodeMessage(in)
}

// wait waits for a message, without end, and reads what there is, but not for ever.
func (b *bus) wait() error {
	err := b.line.idle(b.conn, time.Time{}, func() error { _, err := b.in.Peek(busHeader); return err })
	for n := 0; err == nil && b.in.Buffered() > 0 && n < maxBurst; n++ {
		if err = b.hurry(); err == nil {
			_, err = b.receive()
		}
	}
	return err
}

package hostconf

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"net"
	"time"
)

// dhcpcdSockets are the ones that everybody may ask: of the one dhcpcd of the
// host, or of those that were started for one interface each.
const dhcpcdSockets = "/run/dhcpcd/*unpriv.sock"

const (
	maxRecord  = 1 << 17 // octets
	maxRecords = 1024
	restless   = 3                 // times as old as it must be; then it is asked even if it is not quiet
	sizeOctets = bits.UintSize / 8 // of C's size_t, which dhcpcd sends as it has it
)

var (
	errRecord  = errors.New("not a record of dhcpcd's")
	errRecords = errors.New("more records than are kept")
)

// dhcpcd is what is said to and by dhcpcd.
type dhcpcd struct{}

// talk listens before it asks, so that nothing is missed in between. That takes
// two connections, as dhcpcd's own library has them: what is pushed has the same
// form as an answer.
//
// A dhcpcd that has just started is only listened to until it is quiet. It pushes
// all that it learns, and version 9.4 has so few descriptors to spare that an
// answer together with a push ends it. One that is never quiet, as where Router
// Advertisements are many, is asked when it has run for a while, right after a push.
func (dhcpcd) talk(l *line, c *calls) error {
	pushes, err := say(l, c, "--listen")
	if err != nil {
		return err
	}
	k, in := dhcpcdKnows{}, bufio.NewReader(pushes)
	for ask := l.info.ModTime().Add(l.young); ; {
		if !ask.IsZero() && !time.Now().Before(ask) {
			if err := k.ask(l, c); err != nil {
				return err
			}
			ask = time.Time{}
			l.tell(k.said(), nil)
		}
		heard, err := k.listen(l, pushes, in, ask)
		if err != nil {
			return fmt.Errorf("listening: %w", err)
		}
		if heard && !ask.IsZero() {
			ask = l.due(ask, time.Now())
		}
	}
}

// due is when one that has just pushed is to be asked, which is not before ask.
func (l *line) due(ask, now time.Time) time.Time {
	if !now.Before(l.info.ModTime().Add(restless * l.young)) {
		return now
	}
	if t := now.Add(l.quiet); t.After(ask) {
		return t
	}
	return ask
}

// say opens a connection with a command.
func say(l *line, c *calls, command string) (net.Conn, error) {
	conn, err := c.dial(l.patience)
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Now().Add(l.patience)); err != nil {
		return nil, err
	}
	if _, err := conn.Write([]byte(command + "\x00")); err != nil {
		return nil, fmt.Errorf("%s: %w", command, err)
	}
	return conn, nil
}

// ask gets a record for each protocol of each interface.
func (k dhcpcdKnows) ask(l *line, c *calls) error {
	conn, err := say(l, c, "--getinterfaces")
	if err != nil {
		return err
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	n, err := readSize(in, maxRecords)
	for ; err == nil && n > 0; n-- {
		err = k.receive(in)
	}
	if err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	return nil
}

// listen waits for records to be pushed, or until it is time to ask.
func (k dhcpcdKnows) listen(l *line, pushes net.Conn, in *bufio.Reader, ask time.Time) (heard bool, err error) {
	if err := l.idle(pushes, ask, func() error { _, err := in.Peek(sizeOctets); return err }); err != nil || in.Buffered() == 0 {
		return false, err
	}
	if err := k.hear(l, pushes, in); err != nil {
		return false, err
	}
	l.tell(k.said(), nil)
	return true, nil
}

// hear takes the records that were pushed, but not for ever.
func (k dhcpcdKnows) hear(l *line, conn net.Conn, in *bufio.Reader) error {
	for n := 0; in.Buffered() > 0 && n < maxBurst; n++ {
		if err := conn.SetReadDeadline(time.Now().Add(l.patience)); err != nil {
			return err
		}
		if err := k.receive(in); err != nil {
			return err
		}
	}
	return nil
}

func (k dhcpcdKnows) receive(in io.Reader) error {
	n, err := readSize(in, maxRecord)
	if err != nil {
		return err
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(in, b); err != nil {
		return err
	}
	return k.learn(string(b), time.Now())
}

func readSize(in io.Reader, limit uint64) (int, error) {
	var b [8]byte
	if _, err := io.ReadFull(in, b[:sizeOctets]); err != nil {
		return 0, err
	}
	n := uint64(binary.NativeEndian.Uint32(b[:]))
	if sizeOctets == 8 {
		n = binary.NativeEndian.Uint64(b[:])
	}
	if n > limit {
		return 0, fmt.Errorf("%d octets or records: %w", n, errRecord)
	}
	return int(n), nil
}

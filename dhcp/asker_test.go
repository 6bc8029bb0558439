package dhcp

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A fakeSocket is one to a network in which answer answers.
type fakeSocket struct {
	t      *testing.T
	answer func(datagram) []datagram

	mu        sync.Mutex
	in        []datagram
	deadline  time.Time
	listening bool
	closed    bool
	failure   error
	changed   chan struct{} // closed when something of the above is another
	sent      int
}

func newFakeSocket(t *testing.T, answer func(datagram) []datagram) *fakeSocket {
	return &fakeSocket{t: t, answer: answer, changed: make(chan struct{})}
}

// change changes something.
func (s *fakeSocket) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *fakeSocket) send(index int, packet []byte) error {
	d, ok := parsePacket(packet, false)
	if !ok || index != 7 {
		s.t.Errorf("%x was sent by %d", packet, index)
	}
	s.change(func() {
		s.sent++
		if !s.listening {
			s.t.Error("a question before there are ears")
		}
		s.in = append(s.in, s.answer(d)...)
	})
	return s.failure
}

func (s *fakeSocket) receive() (int, datagram, error) {
	for {
		s.mu.Lock()
		changed, deadline := s.changed, s.deadline
		switch {
		case s.closed:
			s.mu.Unlock()
			return 0, datagram{}, net.ErrClosed
		case !deadline.IsZero() && !time.Now().Before(deadline):
			s.mu.Unlock()
			return 0, datagram{}, os.ErrDeadlineExceeded
		case len(s.in) > 0:
			d := s.in[0]
			s.in = s.in[1:]
			s.mu.Unlock()
			return 7, d, nil
		}
		s.mu.Unlock()
		var timer <-chan time.Time
		if !deadline.IsZero() {
			timer = time.After(time.Until(deadline))
		}
		select {
		case <-changed:
		case <-timer:
		}
	}
}

func (s *fakeSocket) setDeadline(t time.Time) error {
	s.change(func() { s.deadline = t })
	return nil
}

func (s *fakeSocket) listen(on bool) error {
	s.change(func() { s.listening = on })
	return nil
}

func (s *fakeSocket) close() error {
	s.change(func() { s.closed = true })
	return nil
}

func silent(datagram) []datagram { return nil }

// A server that answers the third message among a flood of lies is heard, and
// nothing more is looked at then.
func TestReceive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		s := newFakeSocket(t, func(q datagram) (all []datagram) {
			if n++; n < 3 {
				return nil
			}
			for i := range 10000 {
				lie := answer(q, "0604c0000201")
				lie.payload[4+i%4] ^= 1
				all = append(all, lie)
			}
			return append(all, answer(q, dns4))
		})
		a := newAsker(&Config{}, s)
		q := question(t, ours4)
		start := time.Now()
		a.Ask([]Question{q})
		got, err := a.Receive(t.Context())
		if err != nil || len(got) != 1 || got[0].Question != q || got[0].Configuration.DNSServers[0].Value.String() != "192.0.2.53:53" {
			t.Fatalf("%+v, %v", got, err)
		}
		if took := time.Since(start); took < 10*time.Second || took > 15*time.Second {
			t.Errorf("the third message was sent after %v", took)
		}
		a.Ask(nil)
		if got, err := a.Receive(t.Context()); err != nil || len(got) != 0 {
			t.Errorf("%+v, %v", got, err)
		}
		if s.listening {
			t.Error("it listens, and waits for nothing")
		}
	})
}

// Ask, Close and the context end a wait, and Close those to come.
func TestInterruptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeSocket(t, silent)
		a := newAsker(&Config{}, s)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		ended := make(chan error)
		go func() {
			_, err := a.Receive(ctx)
			ended <- err
		}()
		synctest.Wait()
		a.Ask([]Question{question(t, ours6)})
		if err := <-ended; !errors.Is(err, context.DeadlineExceeded) || s.sent < 5 {
			t.Errorf("%v, after %d messages", err, s.sent)
		}
		go func() {
			_, err := a.Receive(t.Context())
			ended <- err
		}()
		synctest.Wait()
		if err := errors.Join(a.Close(), a.Close()); err != nil {
			t.Error(err)
		}
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		if _, err := a.Receive(t.Context()); !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
}

// What cannot be sent is sent again at its time; the ears are shut a minute after the
// last message.
func TestSendFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeSocket(t, silent)
		s.failure = os.ErrPermission
		a := newAsker(&Config{}, s)
		a.Ask([]Question{question(t, ours4)})
		ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
		defer cancel()
		if _, err := a.Receive(ctx); !errors.Is(err, context.DeadlineExceeded) || s.sent != tries4 || !s.listening {
			t.Errorf("%v after %d messages, ears %v", err, s.sent, s.listening)
		}
		ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := a.Receive(ctx); !errors.Is(err, context.DeadlineExceeded) || s.listening {
			t.Errorf("%v, ears %v", err, s.listening)
		}
	})
}

package proxy

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/go-mif/mif"
)

// Nothing is left of a service that has ended, whatever its clients were at.
func TestServeEnds(t *testing.T) {
	h, err := mif.Open(&mif.Config{Root: t.TempDir()})
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Host: h, Log: slog.New(slog.DiscardHandler), Clients: 10, Handshake: time.Minute, Idle: time.Minute}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error)
	go func() { served <- s.Serve(ctx, l) }()
	var clients []net.Conn
	for said, answer := range map[string]int{
		"":             0,
		"\x05\x01\x00": 2,
		"\x05\x01\x00\x05\x03\x00\x01\x00\x00\x00\x00\x00\x00": 12,
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n":                    12,
		"GET /":                                                0,
	} {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(c, said)
		if _, err := io.ReadFull(c, make([]byte, answer)); err != nil {
			t.Fatal(err)
		}
		clients = append(clients, c)
	}
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
	for _, c := range clients {
		c.SetDeadline(time.Now().Add(30 * time.Second))
		if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("a client is left")
		}
		c.Close()
	}
	h.Close()
	goleak.VerifyNone(t)
}

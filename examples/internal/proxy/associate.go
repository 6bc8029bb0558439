package proxy

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/go-mif/mif/examples/internal/inside"
)

// Bounds of an association.
const (
	flowsAtMost = 64              // peers at once; datagrams to more are lost
	queueAtMost = 16              // datagrams to a peer that is not reached yet
	flowIdle    = 2 * time.Minute // RFC 4787, section 4.3
)

// An association relays a client's datagrams (RFC 1928, section 7). Each peer has a
// socket of its own, in the domain that it is reached in.
type association struct {
	v      *service
	word   string
	socket *net.UDPConn // for the client
	life   context.Context

	sync.Mutex
	client netip.AddrPort // zero port: not known yet
	flows  map[destination]chan []byte
	all    sync.WaitGroup
}

// associate relays datagrams as long as the client's connection lasts.
func (v *service) associate(c *client, word string, from destination) {
	defer c.Close()
	local, remote := addrPort(c.LocalAddr()), addrPort(c.RemoteAddr())
	socket, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(local.Addr(), 0)))
	if err != nil {
		v.Log.Warn("no socket for datagrams", "client", remote.String(), "err", err)
		reply(c, generalFailure, netip.AddrPort{})
		return
	}
	defer socket.Close()
	life, end := context.WithCancel(v.life)
	defer end()
	a := &association{v: v, word: word, socket: socket, life: life, flows: map[destination]chan []byte{}}
	a.client = netip.AddrPortFrom(remote.Addr().Unmap(), from.port)
	v.Log.Info("associated", "client", remote.String(), "domain", word)
	reply(c, succeeded, addrPort(socket.LocalAddr()))
	a.all.Go(a.listen)
	c.Conn.SetDeadline(time.Time{})
	io.Copy(io.Discard, reader{c})
	end()
	socket.Close()
	a.all.Wait()
}

// listen takes the client's datagrams.
func (a *association) listen() {
	buffer := make([]byte, 1<<16)
	for {
		n, from, err := a.socket.ReadFromUDPAddrPort(buffer)
		if err != nil {
			return
		}
		to, payload, ok := parseDatagram(buffer[:n])
		if !ok || !a.ours(from) {
			continue // as RFC 1928 wants it: silently
		}
		a.forward(to, bytes.Clone(payload))
	}
}

// ours tells whether a datagram is the client's. Its first one tells its port.
func (a *association) ours(from netip.AddrPort) bool {
	a.Lock()
	defer a.Unlock()
	from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	if from.Addr() == a.client.Addr() && a.client.Port() == 0 {
		a.client = from
	}
	return from == a.client
}

// parseDatagram takes a client's datagram apart (RFC 1928, section 7). Fragments are
// not served.
func parseDatagram(b []byte) (to destination, payload []byte, ok bool) {
	if len(b) < 3 || b[2] != 0 {
		return to, nil, false
	}
	r := bytes.NewReader(b[3:])
	to, err := readDestination(r)
	return to, b[len(b)-r.Len():], err == nil
}

func (a *association) forward(to destination, payload []byte) {
	a.Lock()
	defer a.Unlock()
	queue, ok := a.flows[to]
	if !ok {
		if len(a.flows) == flowsAtMost {
			return
		}
		queue = make(chan []byte, queueAtMost)
		a.flows[to] = queue
		a.all.Go(func() { a.flow(to, queue) })
	}
	select {
	case queue <- payload:
	default: // as a network does with too many
	}
}

// flow carries datagrams to a peer and back until there are none for some time.
func (a *association) flow(to destination, queue chan []byte) {
	life, end := context.WithCancel(a.life)
	defer end()
	defer func() {
		a.Lock()
		delete(a.flows, to)
		a.Unlock()
	}()
	dial, cancel := context.WithTimeout(life, dialing)
	c, err := inside.DialUDP(dial, a.v.Host, a.word, to.host, to.port)
	cancel()
	if err != nil {
		a.v.Log.Warn("no way for datagrams", "to", to.String(), "domain", a.word, "err", err)
		return
	}
	defer c.Close()
	a.v.Log.Info("datagrams", "client", a.client.String(), "to", to.String(), "pvd", c.PvD.String())
	conn := &timed{c, flowIdle}
	a.all.Go(func() { defer end(); a.back(conn) })
	for {
		select {
		case b := <-queue:
			conn.Write(b) // what a network loses is not told either
		case <-life.Done():
			return
		}
	}
}

// back carries a peer's datagrams to the client.
func (a *association) back(conn *timed) {
	head := appendAddress([]byte{0, 0, 0}, addrPort(conn.RemoteAddr()))
	buffer := make([]byte, len(head)+1<<16)
	copy(buffer, head)
	for {
		n, err := conn.Read(buffer[len(head):])
		switch {
		case err == nil:
			a.socket.WriteToUDPAddrPort(buffer[:len(head)+n], a.client)
		case !passing(err):
			return
		}
	}
}

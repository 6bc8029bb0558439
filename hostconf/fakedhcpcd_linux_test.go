package hostconf

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

const dhcpcdSocket = "/run/dhcpcd/unpriv.sock"

// listen listens at a path below the rig's root, however long that is.
func (r *rig) listen(path string) net.Listener {
	r.t.Helper()
	r.must(os.MkdirAll(filepath.Dir(r.path(path)), 0o755))
	dir, err := os.Open(filepath.Dir(r.path(path)))
	r.must(err)
	defer dir.Close()
	l, err := net.Listen("unix", fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), filepath.Base(path)))
	r.must(err)
	l.(*net.UnixListener).SetUnlinkOnClose(false) // the descriptor is gone by then
	return l
}

// A peer is a program at a socket, with a goroutine for each connection.
type peer struct {
	t        testing.TB
	listener net.Listener
	path     string
	running  sync.WaitGroup
	mu       sync.Mutex
	conns    []net.Conn
}

func (r *rig) peer(path string, serve func(net.Conn)) *peer {
	p := &peer{t: r.t, listener: r.listen(path), path: r.path(path)}
	p.running.Go(func() {
		for {
			conn, err := p.listener.Accept()
			if err != nil {
				return
			}
			p.mu.Lock()
			p.conns = append(p.conns, conn)
			p.mu.Unlock()
			p.running.Go(func() { serve(conn) })
		}
	})
	r.t.Cleanup(p.die)
	return p
}

// die closes everything and leaves the socket's file, as a program that was killed.
func (p *peer) die() {
	p.listener.Close()
	p.mu.Lock()
	for _, c := range p.conns {
		c.Close()
	}
	p.mu.Unlock()
	p.running.Wait()
}

// leave also removes the file.
func (p *peer) leave() {
	os.Remove(p.path)
	p.die()
}

// A fakeDhcpcd answers as dhcpcd does.
type fakeDhcpcd struct {
	*peer
	mu      sync.Mutex
	records []string
	ears    []net.Conn
	heard   chan struct{} // a connection listens
}

func (r *rig) dhcpcd(records ...string) *fakeDhcpcd {
	d := &fakeDhcpcd{records: records, heard: make(chan struct{}, 1000)}
	d.peer = r.peer(dhcpcdSocket, d.serve)
	return d
}

func (d *fakeDhcpcd) serve(conn net.Conn) {
	in := bufio.NewReader(conn)
	for {
		command, err := in.ReadString(0)
		if err != nil {
			conn.Close()
			return
		}
		d.mu.Lock()
		switch command {
		case "--getinterfaces\x00":
			b := binary.NativeEndian.AppendUint64(nil, uint64(len(d.records)))
			for _, r := range d.records {
				b = append(b, frame(r)...)
			}
			conn.Write(b)
		case "--listen\x00":
			d.ears = append(d.ears, conn)
			d.heard <- struct{}{}
		}
		d.mu.Unlock()
	}
}

func frame(record string) []byte {
	return append(binary.NativeEndian.AppendUint64(nil, uint64(len(record))), record...)
}

func (d *fakeDhcpcd) push(b []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range d.ears {
		c.Write(b)
	}
}

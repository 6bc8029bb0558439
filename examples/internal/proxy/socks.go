package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"time"

	"github.com/go-mif/mif/examples/internal/program"
	"github.com/go-mif/mif/happyeyeballs"
	"github.com/go-mif/mif/resolver"
)

// Replies (RFC 1928, section 6).
const (
	succeeded          = 0
	generalFailure     = 1
	notAllowed         = 2
	networkUnreachable = 3
	hostUnreachable    = 4
	connectionRefused  = 5
	notSupported       = 7
	noAddressType      = 8
)

// socks serves a client of SOCKS5. Its deadline is set.
func (v *service) socks(c *client) {
	word, err := v.greet(c)
	if err != nil {
		v.drop(c, "SOCKS5 handshake failed", err)
		return
	}
	command, to, err := readRequest(c)
	switch {
	case errors.Is(err, errAddressType):
		reply(c, noAddressType, netip.AddrPort{})
	case err == nil && command == toConnect:
		v.connect(c, word, to)
		return
	case err == nil && command == toAssociate:
		v.associate(c, word, to)
		return
	case err == nil:
		reply(c, notSupported, netip.AddrPort{})
		err = fmt.Errorf("command %d is not served", command)
	}
	v.drop(c, "SOCKS5 request refused", err)
}

// greet agrees on a method and returns the word for the client's domain.
func (v *service) greet(c *client) (word string, err error) {
	method, err := readMethods(c)
	c.Write([]byte{socks5, method}) // if it fails, reading tells
	if err != nil || method == noAuthentication {
		return v.PvD, err
	}
	name, err := readUser(c)
	if err != nil {
		return "", err
	}
	word = v.word(name)
	if len(program.Choose(v.Host.Snapshot(), word)) == 0 {
		c.Write([]byte{1, 1}) // failure (RFC 1929, section 2)
		return "", program.NoDomain(v.Host.Snapshot(), word)
	}
	_, err = c.Write([]byte{1, succeeded})
	return word, err
}

// word is the word for the domain of a user.
func (v *service) word(user string) string {
	if user == "" {
		return v.PvD
	}
	return user
}

func (v *service) connect(c *client, word string, to destination) {
	c.Conn.SetDeadline(time.Time{})
	conn, err := v.dial(v.life, c.RemoteAddr(), word, to.String())
	if err != nil {
		reply(c, code(err), netip.AddrPort{})
		c.Close()
		return
	}
	reply(c, succeeded, addrPort(conn.LocalAddr()))
	relay(c, conn)
}

func (to destination) String() string { return net.JoinHostPort(to.host, strconv.Itoa(int(to.port))) }

func reply(c *client, code byte, bound netip.AddrPort) {
	c.Write(appendAddress([]byte{socks5, code, 0}, bound)) // if it fails, reading tells
}

func addrPort(a net.Addr) netip.AddrPort {
	switch a := a.(type) {
	case *net.TCPAddr:
		return a.AddrPort()
	case *net.UDPAddr:
		return a.AddrPort()
	}
	return netip.AddrPort{}
}

// code is the reply that an error deserves.
func code(err error) byte {
	for _, c := range []struct {
		err  error
		code byte
	}{
		{syscall.ECONNREFUSED, connectionRefused},
		{syscall.EHOSTUNREACH, hostUnreachable},
		{resolver.ErrNoSuchName, hostUnreachable},
		{syscall.ETIMEDOUT, hostUnreachable},
		{context.DeadlineExceeded, hostUnreachable},
		{syscall.ENETUNREACH, networkUnreachable},
		{happyeyeballs.ErrNoDomain, notAllowed},
	} {
		if errors.Is(err, c.err) {
			return c.code
		}
	}
	return generalFailure
}

package proxy

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
)

// The versions that a first octet tells, and what RFC 1928 numbers.
const (
	socks4, socks5 = 4, 5

	noAuthentication, userName, noMethod = 0, 2, 0xff

	toConnect, toAssociate = 1, 3

	ipv4, domainName, ipv6 = 1, 3, 4
)

// A destination is what a client wants to reach: a name or an address.
type destination struct {
	host string
	port uint16
}

// readMethods reads a client's greeting and chooses a method (RFC 1928, section 3).
func readMethods(r io.Reader) (method byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return noMethod, fmt.Errorf("greeting: %w", err)
	}
	methods := make([]byte, head[1])
	if _, err := io.ReadFull(r, methods); err != nil {
		return noMethod, fmt.Errorf("greeting: %w", err)
	}
	for _, m := range []byte{userName, noAuthentication} {
		if slices.Contains(methods, m) {
			return m, nil
		}
	}
	return noMethod, fmt.Errorf("greeting: no method that is served among %v", methods)
}

// readUser reads the user name of RFC 1929, section 2. Passwords are not looked at.
func readUser(r io.Reader) (name string, err error) {
	var version [1]byte
	if _, err := io.ReadFull(r, version[:]); err != nil {
		return "", fmt.Errorf("user name: %w", err)
	}
	if version[0] != 1 {
		return "", fmt.Errorf("user name: version %d", version[0])
	}
	if name, err = readText(r); err != nil {
		return "", fmt.Errorf("user name: %w", err)
	}
	if _, err = readText(r); err != nil {
		return "", fmt.Errorf("password: %w", err)
	}
	return name, nil
}

// readText reads a text after its length.
func readText(r io.Reader) (string, error) {
	var length [1]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return "", err
	}
	text := make([]byte, length[0])
	_, err := io.ReadFull(r, text)
	return string(text), err
}

// readRequest reads what a client wants (RFC 1928, section 4).
func readRequest(r io.Reader) (command byte, to destination, err error) {
	var head [3]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, to, fmt.Errorf("request: %w", err)
	}
	if head[0] != socks5 {
		return 0, to, fmt.Errorf("request: version %d", head[0])
	}
	to, err = readDestination(r)
	if err != nil {
		return 0, to, fmt.Errorf("request: %w", err)
	}
	return head[1], to, nil
}

// errAddressType tells of an address of a type that RFC 1928 does not have.
var errAddressType = errors.New("address type")

// readDestination reads an address and a port (RFC 1928, section 5).
func readDestination(r io.Reader) (to destination, err error) {
	var kind [1]byte
	if _, err := io.ReadFull(r, kind[:]); err != nil {
		return to, err
	}
	switch kind[0] {
	case ipv4, ipv6:
		b := make([]byte, 4*int(kind[0]))
		_, err = io.ReadFull(r, b)
		a, _ := netip.AddrFromSlice(b)
		to.host = a.String()
	case domainName:
		to.host, err = readText(r)
	default:
		return to, fmt.Errorf("%w %d", errAddressType, kind[0])
	}
	var port [2]byte
	if err == nil {
		_, err = io.ReadFull(r, port[:])
	}
	if err == nil && (to.host == "" || strings.ContainsRune(to.host, 0)) {
		err = fmt.Errorf("%q is no name", to.host)
	}
	to.port = binary.BigEndian.Uint16(port[:])
	return to, err
}

// appendAddress adds an address and a port as RFC 1928, section 5, has them.
func appendAddress(b []byte, a netip.AddrPort) []byte {
	addr := a.Addr().Unmap().WithZone("")
	switch {
	case !addr.IsValid():
		b = append(b, ipv4, 0, 0, 0, 0)
	case addr.Is4():
		b = append(append(b, ipv4), addr.AsSlice()...)
	default:
		b = append(append(b, ipv6), addr.AsSlice()...)
	}
	return binary.BigEndian.AppendUint16(b, a.Port())
}

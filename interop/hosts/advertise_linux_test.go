package hosts

import (
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"golang.org/x/net/ipv6"
)

const linkLocal = "fe80::1" // of the router

// advertise sends Router Advertisements on an interface until it is killed, several
// a second so that nobody waits for one, and counts them in a file.
func advertise(name, count string) error {
	conn, err := net.ListenPacket("ip6:ipv6-icmp", linkLocal+"%"+name)
	if err != nil {
		return err
	}
	defer conn.Close()
	p := ipv6.NewPacketConn(conn)
	if err := p.SetMulticastHopLimit(255); err != nil {
		return err
	}
	f, err := os.Create(count)
	if err != nil {
		return err
	}
	defer f.Close()
	all := &net.IPAddr{IP: net.IPv6linklocalallnodes, Zone: name}
	for b := advertisement(); ; time.Sleep(200 * time.Millisecond) {
		if _, err := p.WriteTo(b, nil, all); err != nil {
			return err
		}
		if _, err := f.WriteString("."); err != nil {
			return err
		}
	}
}

// advertisement is one with the M and O flags (RFC 4861 section 4.2) and one of each
// option.
func advertisement() []byte {
	b := []byte{134, 0, 0, 0, 64, 0xc0, 0x07, 0x08, 0, 0, 0, 0, 0, 0, 0, 0}
	for _, o := range [][]byte{
		option(3, []byte{64, 0xc0}, seconds(3600), seconds(1800), seconds(0), ip("2001:db8:1::")),
		option(5, []byte{0, 0}, seconds(1480)),
		option(24, []byte{48, 0}, seconds(1800), ip("2001:db8:77::")[:8]),
		option(25, []byte{0, 0}, seconds(1200), ip("2001:db8:1::53")),
		option(31, []byte{0, 0}, seconds(1200), wire("ra.example")),
		option(37, []byte("https://portal.example/ra")),
		option(38, []byte{1200 >> 8, 1200 & 0xf8}, ip("2001:db8:64::")[:12]),
		option(144, []byte{0, 1}, seconds(1200), []byte{0, 13}, wire("dot.example"), []byte{0, 16}, ip("2001:db8:1::853"), []byte("\x00\x08\x00\x01\x00\x04\x03dot")),
	} {
		b = append(b, o...)
	}
	return b
}

// option is a Neighbor Discovery option, with zero octets up to a multiple of eight.
func option(kind byte, parts ...[]byte) []byte {
	b := []byte{kind, 0}
	for _, p := range parts {
		b = append(b, p...)
	}
	b = append(b, make([]byte, (8-len(b)%8)%8)...)
	b[1] = byte(len(b) / 8)
	return b
}

func seconds(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

func ip(s string) []byte { return netip.MustParseAddr(s).AsSlice() }

func wire(name string) []byte {
	var b []byte
	for label := range strings.SplitSeq(name, ".") {
		b = append(append(b, byte(len(label))), label...)
	}
	return append(b, 0)
}

package connect

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"
)

// keep holds a second descriptor of a connecting TCP socket: package net closes its
// own before it returns the error, and what the ICMP message said goes with it.
// Without it less is known, that is all. So it is done without where descriptors may
// get scarce. They are given out lowest first, which is how that is known.
func (s *socket) keep(fd int) {
	if s.transport != "tcp" {
		return
	}
	s.forget() // package net tries twice in rare cases
	var most unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &most); err != nil || uint64(fd) >= most.Cur/4 {
		return
	}
	if spare, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3); err == nil {
		s.spare = spare
	}
}

// forget closes that descriptor.
func (s *socket) forget() {
	if s.spare != 0 {
		unix.Close(s.spare)
		s.spare = 0
	}
}

// heard adds to the error of a connect the ICMP error it came from, if it did.
func (s *socket) heard(err error) error {
	if s.spare == 0 {
		return err
	}
	oob := make([]byte, 256)
	_, n, _, _, e := unix.Recvmsg(s.spare, nil, oob, unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
	if e != nil {
		return err
	}
	if m, ok := parseErrQueue(oob[:n]); ok {
		m.err = err
		return m
	}
	return err
}

// parseErrQueue reads the control messages of the error queue (ip(7), IP_RECVERR):
// a struct sock_extended_err, then the address of the offender.
func parseErrQueue(oob []byte) (*icmpError, bool) {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil, false
	}
	for _, m := range messages {
		v4 := m.Header.Level == unix.SOL_IP && m.Header.Type == unix.IP_RECVERR
		v6 := m.Header.Level == unix.SOL_IPV6 && m.Header.Type == unix.IPV6_RECVERR
		if (v4 || v6) && len(m.Data) >= 16 {
			return extendedError(m.Data)
		}
	}
	return nil, false
}

func extendedError(b []byte) (*icmpError, bool) {
	from, offender := b[4], b[16:]
	m := &icmpError{ipv6: from == unix.SO_EE_ORIGIN_ICMP6, kind: b[5], code: b[6]}
	if from != unix.SO_EE_ORIGIN_ICMP && !m.ipv6 {
		return nil, false
	}
	if len(offender) < 2 {
		return m, true
	}
	switch family := binary.NativeEndian.Uint16(offender); {
	case family == unix.AF_INET && len(offender) >= 8:
		m.origin = netip.AddrFrom4([4]byte(offender[4:8]))
	case family == unix.AF_INET6 && len(offender) >= 24:
		m.origin = netip.AddrFrom16([16]byte(offender[8:24]))
	}
	return m, true
}

package dnr

import (
	"encoding/binary"
	"strings"
	"unicode/utf8"

	"github.com/go-mif/mif/pvd"
)

// Service parameters (RFC 9460 section 14.3.2, RFC 9461 section 5).
const (
	paramMandatory = 0
	paramALPN      = 1
	paramNoDefault = 2
	paramPort      = 3
	paramHint4     = 4
	paramHint6     = 6
	paramPath      = 7
	paramInvalid   = 65535
)

// SvcParams are service parameters on their way into a resolver.
type svcParams struct {
	resolver  *pvd.EncryptedResolver
	mandatory []uint16 // keys that must be there and understood
	noDefault bool
}

// decode takes service parameters, whose keys must ascend (RFC 9460 section 2.2). A
// resolver that requires a parameter not known here cannot be used (section 8).
func (s *svcParams) decode(b []byte) bool {
	for last := -1; len(b) > 0; {
		if len(b) < 4 {
			return false
		}
		key := int(binary.BigEndian.Uint16(b))
		v, rest, ok := Field(b[2:])
		if !ok || key <= last || !s.parameter(key, v) {
			return false
		}
		b, last = rest, key
	}
	for _, key := range s.mandatory {
		if !s.has(key) {
			return false
		}
	}
	return !s.noDefault || len(s.resolver.ALPN) > 0 // RFC 9460 section 7.1.1
}

func (s *svcParams) parameter(key int, v []byte) (ok bool) {
	r := s.resolver
	switch key {
	case paramMandatory:
		s.mandatory, ok = decodeKeys(v)
		return ok
	case paramALPN:
		r.ALPN, ok = decodeALPN(v)
		return ok
	case paramNoDefault:
		s.noDefault = true
		return len(v) == 0
	case paramPort:
		if len(v) == 2 {
			r.Port = binary.BigEndian.Uint16(v)
		}
		return r.Port != 0
	case paramHint4, paramHint6, paramInvalid: // the addresses stand in the option
		return false
	case paramPath:
		r.Path = string(v)
		return isPath(r.Path)
	}
	return true
}

// has tells whether a parameter is there, of those that are understood.
func (s *svcParams) has(key uint16) bool {
	r := s.resolver
	return key == paramALPN && len(r.ALPN) > 0 || key == paramNoDefault && s.noDefault ||
		key == paramPort && r.Port != 0 || key == paramPath && r.Path != ""
}

// decodeKeys is a list of keys, which ascend (RFC 9460 section 8).
func decodeKeys(v []byte) (keys []uint16, ok bool) {
	for last := uint16(paramMandatory); len(v) >= 2 && binary.BigEndian.Uint16(v) > last; v = v[2:] {
		last = binary.BigEndian.Uint16(v)
		keys = append(keys, last)
	}
	return keys, len(v) == 0 && len(keys) > 0
}

// decodeALPN is a list of protocols (RFC 9460 section 7.1.1). It can be longer than
// what is kept.
func decodeALPN(v []byte) (all []string, ok bool) {
	for len(v) > 0 {
		n := 1 + int(v[0])
		if n == 1 || n > len(v) {
			return nil, false
		}
		if len(all) < maxAddresses {
			all = append(all, string(v[1:n]))
		}
		v = v[n:]
	}
	return all, len(all) > 0
}

// isPath tells whether s can be the relative template of a path with a variable
// named dns (RFC 9461 section 5).
func isPath(s string) bool {
	if !strings.HasPrefix(s, "/") || !utf8.ValidString(s) || strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c == 0x7f }) {
		return false
	}
	for _, part := range strings.Split(s, "{")[1:] {
		variables, _, closed := strings.Cut(part, "}")
		for name := range strings.SplitSeq(strings.TrimLeft(variables, "+#./;?&"), ",") {
			if closed && strings.TrimRight(name, "*") == "dns" {
				return true
			}
		}
	}
	return false
}

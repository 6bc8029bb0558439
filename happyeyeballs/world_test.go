package happyeyeballs

import (
	"crypto/tls"
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/go-mif/mif/resolver"
)

// newSim reads a world. Lines are
//
//	domain PVD ADDRESS/BITS... [join=MS] [leave=MS] [ready=MS] [pref64=PREFIX] [fqdn=NAME]
//	dns PVD AAAA|A|NAME|NAME/AAAA|NAME/A MS [ttl=MS] [cname=NAME] ADDRESS...|error|none
//	svc PVD MS PRIORITY TARGET [KEY=VALUE]... [PRIORITY TARGET ...]...|error|none
//	host PVD ADDRESS MS ok|refused|unreachable
//	valid PVD ADDRESS[+ECH] MS ok|bad|rejected
//	again PVD MS AAAA|A MS ADDRESS...      the domain changes, and answers so from now on
//	ech                                    the program can encrypt its hello
//	alpn PROTOCOL...                       what it can speak
//	seed N
//	abort MS
//	patience MS
func newSim(t testing.TB, address, world string) *sim {
	t.Helper()
	network := "tcp"
	if n, a, ok := strings.Cut(address, " "); ok {
		network, address = n, a
	}
	to, err := parse(t.Context(), network, address)
	if err != nil {
		t.Fatal(err)
	}
	s := &sim{m: newMachine(to), now: epoch, dns: map[string]simReply{}, hosts: map[string]simReply{}, valid: map[string]simReply{}, svc: map[string]simReply{}}
	s.m.trace = s.trace()
	for l := range strings.Lines(world) {
		if f := strings.Fields(l); len(f) > 0 {
			s.read(f)
		}
	}
	s.identify(t)
	return s
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}

func (s *sim) read(f []string) {
	switch f[0] {
	case "domain":
		s.domains = append(s.domains, readDomain(f[1:]))
	case "dns":
		s.dns[f[1]+" "+f[2]] = readReply(f[3:])
	case "svc":
		s.m.serving.scheme = "https"
		s.svc[f[1]] = readServices(f[2:])
	case "host":
		s.hosts[f[1]+" "+f[2]] = readReply(f[3:])
	case "valid":
		s.m.validate = true
		s.valid[f[1]+" "+f[2]] = readReply(f[3:])
	case "again":
		s.again = append(s.again, func() {
			s.after(number(f[2]), func() {
				s.dns[f[1]+" "+f[3]] = readReply(f[4:])
				for _, d := range s.domains {
					if d.PvD.String() == f[1] {
						s.m.reconfigured(d.PvD)
					}
				}
			})
		})
	case "ech":
		s.m.serving.ech = true
	case "alpn":
		s.m.serving.alpn = f[1:]
	case "seed":
		s.m.serving.seed = uint64(number(f[1]))
	case "patience":
		s.patience = number(f[1])
	case "abort":
		s.abort = number(f[1])
	default:
		panic(f[0])
	}
}

func readDomain(f []string) *simDomain {
	d := &simDomain{Domain: Domain{FQDN: f[0]}} // its name, until it has an identity
	for _, w := range f[1:] {
		key, value, _ := strings.Cut(w, "=")
		switch key {
		case "join":
			d.join = number(value)
		case "leave":
			d.leave = number(value)
		case "pref64":
			d.pref64 = append(d.pref64, netip.MustParsePrefix(value))
		case "ready":
			d.ready = number(value)
		case "fqdn":
			d.fqdn = value
		default:
			d.addrs = append(d.addrs, netip.MustParsePrefix(w))
		}
	}
	return d
}

var outcomes = map[string]error{
	"ok": nil, "refused": syscall.ECONNREFUSED, "unreachable": syscall.EHOSTUNREACH, "error": errors.New("no such name"), "bad": errors.New("not valid"),
	"none": resolver.ErrNoData, "rejected": &tls.ECHRejectionError{RetryConfigList: []byte("new")}, "disabled": &tls.ECHRejectionError{},
}

// readServices reads records.
func readServices(f []string) simReply {
	r := simReply{after: number(f[0])}
	if r.err = outcomes[f[1]]; r.err != nil {
		return r
	}
	for i := 1; i < len(f); i++ {
		key, value, ok := strings.Cut(f[i], "=")
		if !ok {
			i++
			r.all = append(r.all, resolver.Service{Priority: uint16(number(key)), Target: f[i]})
			continue
		}
		set(&r.all[len(r.all)-1], key, value)
	}
	return r
}

func set(s *resolver.Service, key, value string) {
	switch key {
	case "port":
		s.Port = uint16(number(value))
	case "alpn":
		s.ALPN = strings.Split(value, ",")
	case "only":
		s.ALPN, s.NoDefaultALPN = strings.Split(value, ","), true
	case "six":
		s.IPv6Hints = append(s.IPv6Hints, netip.MustParseAddr(value))
	case "four":
		s.IPv4Hints = append(s.IPv4Hints, netip.MustParseAddr(value))
	case "ech":
		s.ECH = []byte(value)
	default:
		panic(key)
	}
}

func readReply(f []string) simReply {
	r := simReply{after: number(f[0])}
	for _, w := range f[1:] {
		if v, ok := strings.CutPrefix(w, "ttl="); ok {
			r.ttl = number(v)
		} else if v, ok := strings.CutPrefix(w, "cname="); ok {
			r.end = v
		} else if err, ok := outcomes[w]; ok {
			r.err = err
		} else {
			r.addrs = append(r.addrs, netip.MustParseAddr(w))
		}
	}
	return r
}

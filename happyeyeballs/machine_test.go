package happyeyeballs

import (
	"strings"
	"testing"
)

// plain is a host with one uplink of two families and a name with an address of each.
const plain = `
	domain eth0/ipv4 192.0.2.2/24
	domain eth0/ipv6 2001:db8:1::2/64
	dns eth0/ipv6 AAAA 0 2001:db8:f::1
	dns eth0/ipv4 A 0 198.51.100.1
`

// A row is a race at virtual time.
type row struct {
	cite, to, world, want string
	timing                timing // where not the default
}

// Each row cites the sentence that it checks: R is RFC 8305, V version 3 of it, M
// the design of races across domains. Later lines of a world replace earlier ones.
var rows = []row{
	{
		cite:  "R3: if a positive AAAA response is received first, the first IPv6 connection attempt is immediately started",
		world: plain + "dns eth0/ipv4 A 500 198.51.100.1\nhost eth0/ipv6 2001:db8:f::1 2 ok",
		want:  "0 try eth0/ipv6 2001:db8:f::1\n2 win eth0/ipv6 2001:db8:f::1",
	},
	{
		cite:  "R3: a positive A response received first waits for the Resolution Delay, 50 ms",
		world: plain + "dns eth0/ipv6 AAAA 200 2001:db8:f::1\nhost eth0/ipv4 198.51.100.1 2 ok",
		want:  "50 try eth0/ipv4 198.51.100.1\n52 win eth0/ipv4 198.51.100.1",
	},
	{
		cite:  "R3: the delay counts from the A response",
		world: plain + "dns eth0/ipv6 AAAA 200 2001:db8:f::1\ndns eth0/ipv4 A 30 198.51.100.1\nhost eth0/ipv4 198.51.100.1 2 ok",
		want:  "80 try eth0/ipv4 198.51.100.1\n82 win eth0/ipv4 198.51.100.1",
	},
	{
		cite:  "R3: a positive AAAA response within the Resolution Delay starts the IPv6 attempt immediately",
		world: plain + "dns eth0/ipv6 AAAA 20 2001:db8:f::1\nhost eth0/ipv6 2001:db8:f::1 2 ok",
		want:  "20 try eth0/ipv6 2001:db8:f::1\n22 win eth0/ipv6 2001:db8:f::1",
	},
	{
		cite:  "R3: exactly at the end of the Resolution Delay the AAAA response still counts",
		world: plain + "dns eth0/ipv6 AAAA 50 2001:db8:f::1\nhost eth0/ipv6 2001:db8:f::1 2 ok",
		want:  "50 try eth0/ipv6 2001:db8:f::1\n52 win eth0/ipv6 2001:db8:f::1",
	},
	{
		cite:  "R3: a negative AAAA response within the Resolution Delay lets IPv4 proceed",
		world: plain + "dns eth0/ipv6 AAAA 20\nhost eth0/ipv4 198.51.100.1 2 ok",
		want:  "20 try eth0/ipv4 198.51.100.1\n22 win eth0/ipv4 198.51.100.1",
	},
	{
		cite:  "V4.2: negative answers are those without addresses, with or without an error",
		world: plain + "dns eth0/ipv6 AAAA 0 error\nhost eth0/ipv4 198.51.100.1 2 ok",
		want:  "0 try eth0/ipv4 198.51.100.1\n2 win eth0/ipv4 198.51.100.1",
	},
	{
		cite: "R3: if the AAAA response arrives while attempts are in progress, its addresses join; V7: the other family is next",
		world: plain + `dns eth0/ipv6 AAAA 100 2001:db8:f::1
			dns eth0/ipv4 A 0 198.51.100.1 198.51.100.2
			host eth0/ipv6 2001:db8:f::1 2 ok`,
		want: "50 try eth0/ipv4 198.51.100.1\n300 try eth0/ipv6 2001:db8:f::1\n302 win eth0/ipv6 2001:db8:f::1\n302 drop eth0/ipv4 198.51.100.1",
	},
	{
		cite: "V7: IPv4 addresses that come while an IPv6 attempt runs are ahead of the remaining IPv6 addresses",
		world: plain + `dns eth0/ipv6 AAAA 0 2001:db8:f::1 2001:db8:f::2
			dns eth0/ipv4 A 100 198.51.100.1
			host eth0/ipv4 198.51.100.1 1 ok`,
		want: "0 try eth0/ipv6 2001:db8:f::1\n250 try eth0/ipv4 198.51.100.1\n251 win eth0/ipv4 198.51.100.1\n251 drop eth0/ipv6 2001:db8:f::1",
	},
	{
		cite:  "R5: the recommended Connection Attempt Delay is 250 ms",
		world: plain + "host eth0/ipv4 198.51.100.1 2 ok",
		want:  "0 try eth0/ipv6 2001:db8:f::1\n250 try eth0/ipv4 198.51.100.1\n252 win eth0/ipv4 198.51.100.1\n252 drop eth0/ipv6 2001:db8:f::1",
	},
	{
		cite:  "R5: starting a new attempt does not affect previous attempts",
		world: plain + "host eth0/ipv6 2001:db8:f::1 400 ok",
		want:  "0 try eth0/ipv6 2001:db8:f::1\n250 try eth0/ipv4 198.51.100.1\n400 win eth0/ipv6 2001:db8:f::1\n400 drop eth0/ipv4 198.51.100.1",
	},
	{
		cite:  "R5: a subsequent connection MUST NOT be started within 10 ms of the previous attempt, even if that has failed",
		world: plain + "host eth0/ipv6 2001:db8:f::1 0 refused\nhost eth0/ipv4 198.51.100.1 1 ok",
		want:  "0 try eth0/ipv6 2001:db8:f::1\n0 fail eth0/ipv6 2001:db8:f::1\n10 try eth0/ipv4 198.51.100.1\n11 win eth0/ipv4 198.51.100.1",
	},
	{
		cite:  "R5, §F.3: an attempt that fails after 10 ms is followed at once",
		world: plain + "host eth0/ipv6 2001:db8:f::1 20 unreachable\nhost eth0/ipv4 198.51.100.1 1 ok",
		want:  "0 try eth0/ipv6 2001:db8:f::1\n20 fail eth0/ipv6 2001:db8:f::1\n20 try eth0/ipv4 198.51.100.1\n21 win eth0/ipv4 198.51.100.1",
	},
	{
		cite: "R4: an address of the first family is followed by one of the other",
		world: plain + `dns eth0/ipv6 AAAA 0 2001:db8:f::1 2001:db8:f::2
			dns eth0/ipv4 A 0 198.51.100.1 198.51.100.2
			abort 900`,
		want: `0 try eth0/ipv6 2001:db8:f::1
			250 try eth0/ipv4 198.51.100.1
			500 try eth0/ipv6 2001:db8:f::2
			750 try eth0/ipv4 198.51.100.2
			900 drop eth0/ipv6 2001:db8:f::1
			900 drop eth0/ipv4 198.51.100.1
			900 drop eth0/ipv6 2001:db8:f::2
			900 drop eth0/ipv4 198.51.100.2`,
	},
	{
		cite:   "R4: the First Address Family Count is how many addresses of the first family come before the other",
		timing: timing{count: 2},
		world: plain + `dns eth0/ipv6 AAAA 0 2001:db8:f::1 2001:db8:f::2 2001:db8:f::3
			host eth0/ipv4 198.51.100.1 1 ok`,
		want: `0 try eth0/ipv6 2001:db8:f::1
			250 try eth0/ipv6 2001:db8:f::2
			500 try eth0/ipv4 198.51.100.1
			501 win eth0/ipv4 198.51.100.1
			501 drop eth0/ipv6 2001:db8:f::1
			501 drop eth0/ipv6 2001:db8:f::2`,
	},
	{
		cite: "R6: an address removed by its TTL is not tried, a running attempt to one goes on; V4.4: it may be asked again",
		world: plain + `dns eth0/ipv6 AAAA 0 ttl=100 2001:db8:f::1 2001:db8:f::2
			dns eth0/ipv4 A 0
			host eth0/ipv6 2001:db8:f::1 320 ok`,
		want: `0 ask eth0/ipv6 www.example ipv6
			0 ask eth0/ipv4 www.example ipv4
			0 try eth0/ipv6 2001:db8:f::1
			100 ask eth0/ipv6 www.example ipv6
			200 ask eth0/ipv6 www.example ipv6
			250 try eth0/ipv6 2001:db8:f::2
			320 win eth0/ipv6 2001:db8:f::1
			320 drop eth0/ipv6 2001:db8:f::2`,
	},
	{
		cite: "R3, V4.1: AAAA first, then A, only for families that the domain has; in every domain at once",
		world: `domain eth0 192.0.2.2/24 2001:db8:1::2/64
			domain eth1 192.0.3.2/24 2001:db8:2::2/64
			abort 1`,
		want: `0 ask eth0 www.example ipv6
			0 ask eth0 www.example ipv4
			0 ask eth1 www.example ipv6
			0 ask eth1 www.example ipv4`,
	},
	{
		cite:  "R4: all addresses are tried; the race fails when all have",
		world: plain + "host eth0/ipv6 2001:db8:f::1 0 refused\nhost eth0/ipv4 198.51.100.1 0 refused",
		want:  "0 try eth0/ipv6 2001:db8:f::1\n0 fail eth0/ipv6 2001:db8:f::1\n10 try eth0/ipv4 198.51.100.1\n10 fail eth0/ipv4 198.51.100.1",
	},
	{
		cite:  "V6.1: success is what the application says; others go on meanwhile, later by the delay; a bad one is followed at once",
		world: plain + "host eth0/ipv6 2001:db8:f::1 100 ok\nvalid eth0/ipv6 2001:db8:f::1 300 bad\nhost eth0/ipv4 198.51.100.1 5 ok\nvalid eth0/ipv4 198.51.100.1 5 ok",
		want: `0 try eth0/ipv6 2001:db8:f::1
			350 try eth0/ipv4 198.51.100.1
			360 win eth0/ipv4 198.51.100.1
			360 drop eth0/ipv6 2001:db8:f::1`,
	},
	{
		cite: "R7.1: an IPv4 literal is synthesised with the prefix of the router (RFC 8781)",
		to:   "198.51.100.1:80",
		world: `domain eth0/ipv6 2001:db8:1::2/64 pref64=2001:db8:64::/96
			host eth0/ipv6 2001:db8:64::c633:6401 3 ok`,
		want: "0 try eth0/ipv6 2001:db8:64::c633:6401\n3 win eth0/ipv6 2001:db8:64::c633:6401",
	},
	{
		cite: "R7.1: or with the prefix that RFC 7050 finds",
		to:   "198.51.100.1:80",
		world: `domain eth0/ipv6 2001:db8:1::2/64
			dns eth0/ipv6 ipv4only.arpa. 40 2001:db8:64::c000:aa 2001:db8:64::c000:ab
			host eth0/ipv6 2001:db8:64::c633:6401 3 ok`,
		want: "0 ask eth0/ipv6 ipv4only.arpa. ipv6\n40 try eth0/ipv6 2001:db8:64::c633:6401\n43 win eth0/ipv6 2001:db8:64::c633:6401",
	},
	{
		cite: "V8.1: A is asked as well where a prefix is known; V8.2: a synthesised answer of the DNS64 is the same address",
		world: `domain eth0/ipv6 2001:db8:1::2/64 pref64=64:ff9b::/96
			dns eth0/ipv6 AAAA 0 64:ff9b::c633:6401
			dns eth0/ipv6 A 0 198.51.100.1
			host eth0/ipv6 64:ff9b::c633:6401 0 refused`,
		want: `0 ask eth0/ipv6 www.example ipv6
			0 ask eth0/ipv6 www.example ipv4
			0 try eth0/ipv6 64:ff9b::c633:6401
			0 fail eth0/ipv6 64:ff9b::c633:6401`,
	},
	{
		cite: "V8.2: a synthesised address is of IPv4 when it is sorted",
		world: `domain eth0/ipv6 2001:db8:1::2/64 pref64=64:ff9b::/96
			dns eth0/ipv6 AAAA 0 64:ff9b::c633:6401 2001:db8:f::1 2001:db8:f::2
			dns eth0/ipv6 A 0
			abort 600`,
		want: `0 try eth0/ipv6 2001:db8:f::1
			250 try eth0/ipv6 64:ff9b::c633:6401
			500 try eth0/ipv6 2001:db8:f::2
			600 drop eth0/ipv6 2001:db8:f::1
			600 drop eth0/ipv6 64:ff9b::c633:6401
			600 drop eth0/ipv6 2001:db8:f::2`,
	},
	{
		cite: "R7.2: 2 s after the last attempt the A record is asked for and synthesised",
		world: `domain eth0/ipv6 2001:db8:1::2/64
			dns eth0/ipv6 AAAA 0 2001:db8:f::1
			dns eth0/ipv6 A 5 198.51.100.1
			dns eth0/ipv6 ipv4only.arpa. 7 64:ff9b::c000:aa
			host eth0/ipv6 64:ff9b::c633:6401 3 ok`,
		want: "0 try eth0/ipv6 2001:db8:f::1\n2007 try eth0/ipv6 64:ff9b::c633:6401\n2010 win eth0/ipv6 64:ff9b::c633:6401\n2010 drop eth0/ipv6 2001:db8:f::1",
	},
	{
		cite: "R3: a domain that has not told what it has may yet have IPv6",
		world: `domain eth0/ipv4 192.0.2.2/24
			domain eth0/ipv6 2001:db8:1::2/64 ready=30
			dns eth0/ipv4 A 0 198.51.100.1
			dns eth0/ipv6 AAAA 0 2001:db8:f::1
			host eth0/ipv6 2001:db8:f::1 1 ok`,
		want: "30 try eth0/ipv6 2001:db8:f::1\n31 win eth0/ipv6 2001:db8:f::1",
	},
	{
		cite:  "RFC 1035, 3.2.1: a TTL of 0 is for the transaction in progress, which a race is",
		world: plain + "dns eth0/ipv6 AAAA 0 ttl=-1 2001:db8:f::1 2001:db8:f::2\ndns eth0/ipv4 A 0\nhost eth0/ipv6 2001:db8:f::2 1 ok",
		want:  "0 try eth0/ipv6 2001:db8:f::1\n250 try eth0/ipv6 2001:db8:f::2\n251 win eth0/ipv6 2001:db8:f::2\n251 drop eth0/ipv6 2001:db8:f::1",
	},
	{
		cite: "R7.1: where the interface has IPv4, no prefix is looked for",
		to:   "198.51.100.1:80",
		world: `domain eth0/ipv6 2001:db8:1::2/64
			domain eth0/ipv4 192.0.2.2/24
			domain eth1/ipv6 2001:db8:2::2/64
			dns eth1/ipv6 ipv4only.arpa. 0
			host eth0/ipv4 198.51.100.1 20 refused`,
		want: "0 ask eth1/ipv6 ipv4only.arpa. ipv6\n0 try eth0/ipv4 198.51.100.1\n20 fail eth0/ipv4 198.51.100.1",
	},
	{
		cite:  "V4.1: connectivity is an address that is not link-local",
		world: "domain eth0 192.0.2.2/24 fe80::2/64 169.254.7.7/16\ndns eth0 A 0 198.51.100.1\nhost eth0 198.51.100.1 1 ok",
		want:  "0 ask eth0 www.example ipv4\n0 try eth0 198.51.100.1\n1 win eth0 198.51.100.1",
	},
	{
		cite: "RFC 6724, rule 5: native IPv4 is before the same by a NAT64",
		to:   "198.51.100.1:80",
		world: `domain eth0/ipv6 2001:db8:1::2/64 pref64=64:ff9b::/96
			domain eth0/ipv4 192.0.2.2/24
			host eth0/ipv6 64:ff9b::c633:6401 1 ok`,
		want: "0 try eth0/ipv4 198.51.100.1\n250 try eth0/ipv6 64:ff9b::c633:6401\n251 win eth0/ipv6 64:ff9b::c633:6401\n251 drop eth0/ipv4 198.51.100.1",
	},
	{
		cite: "R7: only in a network without IPv4",
		world: plain + `dns eth0/ipv4 A 0 error
			host eth0/ipv6 2001:db8:f::1 0 refused`,
		want: "0 ask eth0/ipv6 www.example ipv6\n0 ask eth0/ipv4 www.example ipv4\n0 try eth0/ipv6 2001:db8:f::1\n0 fail eth0/ipv6 2001:db8:f::1",
	},
}

const two = `
	domain eth0/ipv4 192.0.2.2/24
	domain wlan0/ipv4 192.0.3.2/24
	dns eth0/ipv4 A 0 198.51.100.1
	dns wlan0/ipv4 A 0 198.51.100.2
`

func init() {
	rows = append(rows, []row{
		{
			cite:  "M: names are asked in every domain at once; the better uplink has a head start of 250 ms",
			world: two + "host wlan0/ipv4 198.51.100.2 2 ok",
			want: `0 ask eth0/ipv4 www.example ipv4
				0 ask wlan0/ipv4 www.example ipv4
				0 try eth0/ipv4 198.51.100.1
				250 try wlan0/ipv4 198.51.100.2
				252 win wlan0/ipv4 198.51.100.2
				252 drop eth0/ipv4 198.51.100.1`,
		},
		{
			cite:  "M: the first domain's DNS is dead",
			world: "domain eth0/ipv4 192.0.2.2/24\ndomain wlan0/ipv4 192.0.3.2/24\ndns wlan0/ipv4 A 0 198.51.100.2\nhost wlan0/ipv4 198.51.100.2 2 ok",
			want:  "250 try wlan0/ipv4 198.51.100.2\n252 win wlan0/ipv4 198.51.100.2",
		},
		{
			cite:  "M: a better uplink with nothing left to try gives way at once",
			world: two + "dns eth0/ipv4 A 3 error\nhost wlan0/ipv4 198.51.100.2 2 ok",
			want:  "3 try wlan0/ipv4 198.51.100.2\n5 win wlan0/ipv4 198.51.100.2",
		},
		{
			cite: "M: uplinks take turns, each with its own order",
			world: two + `dns eth0/ipv4 A 0 198.51.100.1 198.51.100.3
				dns wlan0/ipv4 A 0 198.51.100.2 198.51.100.4
				abort 800`,
			want: `0 try eth0/ipv4 198.51.100.1
				250 try wlan0/ipv4 198.51.100.2
				500 try eth0/ipv4 198.51.100.3
				750 try wlan0/ipv4 198.51.100.4
				800 drop eth0/ipv4 198.51.100.1
				800 drop wlan0/ipv4 198.51.100.2
				800 drop eth0/ipv4 198.51.100.3
				800 drop wlan0/ipv4 198.51.100.4`,
		},
		{
			cite: "M: a domain that goes takes its attempts with it, and the race goes on",
			world: two + `domain eth0/ipv6 2001:db8:1::2/64 leave=100
				dns eth0/ipv6 AAAA 0 2001:db8:f::1 2001:db8:f::2
				host eth0/ipv4 198.51.100.1 2 ok`,
			want: "0 try eth0/ipv6 2001:db8:f::1\n100 gone eth0/ipv6 2001:db8:f::1\n100 try eth0/ipv4 198.51.100.1\n102 win eth0/ipv4 198.51.100.1",
		},
		{
			cite: "M: a domain that appears joins the race",
			world: `domain eth0/ipv4 192.0.2.2/24
				domain wlan0/ipv4 192.0.3.2/24 join=1000
				dns eth0/ipv4 A 0 198.51.100.1
				dns wlan0/ipv4 A 5 198.51.100.2
				host wlan0/ipv4 198.51.100.2 2 ok`,
			want: "0 try eth0/ipv4 198.51.100.1\n1005 try wlan0/ipv4 198.51.100.2\n1007 win wlan0/ipv4 198.51.100.2\n1007 drop eth0/ipv4 198.51.100.1",
		},
		{
			cite: "M: a domain that had no answer is asked again when its configuration changes",
			world: two + `dns wlan0/ipv4 A 0 error
				again wlan0/ipv4 400 A 5 198.51.100.2
				host wlan0/ipv4 198.51.100.2 2 ok`,
			want: "0 try eth0/ipv4 198.51.100.1\n405 try wlan0/ipv4 198.51.100.2\n407 win wlan0/ipv4 198.51.100.2\n407 drop eth0/ipv4 198.51.100.1",
		},
		{
			cite: "M: also if it has changed before it said that it had none",
			world: two + `dns wlan0/ipv4 A 500 error
				again wlan0/ipv4 400 A 5 198.51.100.2
				host wlan0/ipv4 198.51.100.2 2 ok`,
			want: "0 try eth0/ipv4 198.51.100.1\n505 try wlan0/ipv4 198.51.100.2\n507 win wlan0/ipv4 198.51.100.2\n507 drop eth0/ipv4 198.51.100.1",
		},
		{
			cite: "M: an address is dialled in the domain that gave it and in no other",
			world: two + `dns wlan0/ipv4 A 0 198.51.100.1
				host wlan0/ipv4 198.51.100.1 2 ok`,
			want: "0 try eth0/ipv4 198.51.100.1\n250 try wlan0/ipv4 198.51.100.1\n252 win wlan0/ipv4 198.51.100.1\n252 drop eth0/ipv4 198.51.100.1",
		},
		{
			cite: "M: an explicit domain is an uplink of its own",
			world: `domain eth0/ipv4 192.0.2.2/24
				domain eth0/ipv6 2001:db8:1::2/64 fqdn=corp.example
				dns eth0/ipv4 A 0 198.51.100.1
				dns eth0/ipv6 AAAA 0 2001:db8:f::1
				host eth0/ipv6 2001:db8:f::1 2 ok`,
			want: "0 try eth0/ipv4 198.51.100.1\n250 try eth0/ipv6 2001:db8:f::1\n252 win eth0/ipv6 2001:db8:f::1\n252 drop eth0/ipv4 198.51.100.1",
		},
	}...)
}

func TestMachine(t *testing.T) {
	for _, c := range rows {
		to := "www.example:80"
		if strings.Contains(c.to, ":") {
			to = c.to
		}
		s := newSim(t, to, c.world)
		s.asks = strings.Contains(c.want, " ask ")
		if c.timing.count > 0 {
			s.m.timing.count = c.timing.count
		}
		want := strings.ReplaceAll(strings.TrimSpace(c.want), "\t", "")
		if got := s.run(t); got != want {
			t.Errorf("%s\ngot\n%s\nwant\n%s", c.cite, got, want)
		}
	}
}

package happyeyeballs

// served is a plain host whose name has a record for itself in both domains.
const served = plain + `
	svc eth0/ipv6 0 1 www.example
	svc eth0/ipv4 0 1 www.example
`

// S is RFC 9460.
func init() {
	rows = append(rows, []row{
		{
			cite:  "V4.1: the order of queries is HTTPS, AAAA, A; each domain is asked",
			world: served + "host eth0/ipv6 2001:db8:f::1 1 ok",
			want: `0 ask eth0/ipv4 www.example https
				0 ask eth0/ipv6 www.example https
				0 ask eth0/ipv6 www.example ipv6
				0 ask eth0/ipv4 www.example ipv4
				0 try eth0/ipv6 2001:db8:f::1
				1 win eth0/ipv6 2001:db8:f::1`,
		},
		{
			cite: "V4.2: service information that is slightly late is waited for",
			world: plain + `svc eth0/ipv6 10 1 www.example
				svc eth0/ipv4 10 1 www.example
				host eth0/ipv6 2001:db8:f::1 1 ok`,
			want: "10 try eth0/ipv6 2001:db8:f::1\n11 win eth0/ipv6 2001:db8:f::1",
		},
		{
			cite: "V4.2: service information that is significantly late, or never arrives, is not waited for: 50 ms",
			world: plain + `svc eth0/ipv6 200 1 www.example
				host eth0/ipv6 2001:db8:f::1 1 ok`,
			want: "50 try eth0/ipv6 2001:db8:f::1\n51 win eth0/ipv6 2001:db8:f::1",
		},
		{
			cite: "V4.2, M: what counts are the services of the domain whose addresses are there",
			world: plain + `svc eth0/ipv6 20 1 www.example port=8443
				svc eth0/ipv4 0 1 www.example
				host eth0/ipv6 [2001:db8:f::1]:8443 1 ok`,
			want: "20 try eth0/ipv6 [2001:db8:f::1]:8443\n21 win eth0/ipv6 [2001:db8:f::1]:8443",
		},
		{
			cite: "V4.2, M: and not those of the other domain",
			world: plain + `svc eth0/ipv6 0 1 www.example
				svc eth0/ipv4 200 1 www.example
				host eth0/ipv6 2001:db8:f::1 1 ok`,
			want: "0 try eth0/ipv6 2001:db8:f::1\n1 win eth0/ipv6 2001:db8:f::1",
		},
		{
			cite: "V4.2: with IPv4 alone services are waited for as well",
			world: `domain eth0/ipv4 192.0.2.2/24
				dns eth0/ipv4 A 30 198.51.100.1
				svc eth0/ipv4 40 1 www.example
				host eth0/ipv4 198.51.100.1 1 ok`,
			want: "40 try eth0/ipv4 198.51.100.1\n41 win eth0/ipv4 198.51.100.1",
		},
		{
			cite: "V4.2: the delay counts from the first positive answer, and services count as well as AAAA",
			world: plain + `dns eth0/ipv4 A 30 198.51.100.1
				dns eth0/ipv6 AAAA 40 2001:db8:f::1
				svc eth0/ipv6 200 1 www.example
				host eth0/ipv6 2001:db8:f::1 1 ok`,
			want: "80 try eth0/ipv6 2001:db8:f::1\n81 win eth0/ipv6 2001:db8:f::1",
		},
		{
			cite: "V4.2: a negative response about services is an answer",
			world: plain + `svc eth0/ipv6 20 none
				svc eth0/ipv4 20 error
				host eth0/ipv6 2001:db8:f::1 1 ok`,
			want: "20 try eth0/ipv6 2001:db8:f::1\n21 win eth0/ipv6 2001:db8:f::1",
		},
		{
			cite: "V4.2.1: hints are positive answers while A and AAAA are not available",
			world: plain + `svc eth0/ipv6 30 1 www.example six=2001:db8:f::9
				svc eth0/ipv4 30 1 www.example four=198.51.100.9
				dns eth0/ipv6 AAAA 300 2001:db8:f::1
				dns eth0/ipv4 A 300 198.51.100.1
				host eth0/ipv6 2001:db8:f::9 1 ok`,
			want: "30 try eth0/ipv6 2001:db8:f::9\n31 win eth0/ipv6 2001:db8:f::9",
		},
		{
			cite: "V4.2: IPv4 hints alone wait for AAAA",
			world: plain + `svc eth0/ipv4 30 1 www.example four=198.51.100.9
				svc eth0/ipv6 30 1 www.example four=198.51.100.9
				dns eth0/ipv6 AAAA 300 2001:db8:f::1
				dns eth0/ipv4 A 300 198.51.100.1
				host eth0/ipv4 198.51.100.9 1 ok`,
			want: "80 try eth0/ipv4 198.51.100.9\n81 win eth0/ipv4 198.51.100.9",
		},
		{
			cite: "V4.2.1: the records replace the hints",
			world: `domain eth0/ipv6 2001:db8:1::2/64
				svc eth0/ipv6 0 1 www.example six=2001:db8:f::8 six=2001:db8:f::9
				dns eth0/ipv6 AAAA 100 2001:db8:f::1
				host eth0/ipv6 2001:db8:f::1 1 ok`,
			want: `0 try eth0/ipv6 2001:db8:f::8
				250 try eth0/ipv6 2001:db8:f::1
				251 win eth0/ipv6 2001:db8:f::1
				251 drop eth0/ipv6 2001:db8:f::8`,
		},
		{
			cite: "V4.2.1: so does the answer that there are none, but not a failure to answer",
			world: `domain eth0/ipv6 2001:db8:1::2/64
				svc eth0/ipv6 0 1 www.example six=2001:db8:f::8 six=2001:db8:f::9
				dns eth0/ipv6 AAAA 100 none
				host eth0/ipv6 2001:db8:f::8 260 refused
				patience 300`,
			want: "0 try eth0/ipv6 2001:db8:f::8\n260 fail eth0/ipv6 2001:db8:f::8",
		},
		{
			cite: "V4.2.1: a failed look-up leaves the hints",
			world: `domain eth0/ipv6 2001:db8:1::2/64
				svc eth0/ipv6 0 1 www.example six=2001:db8:f::8 six=2001:db8:f::9
				dns eth0/ipv6 AAAA 100 error
				host eth0/ipv6 2001:db8:f::9 1 ok`,
			want: "0 try eth0/ipv6 2001:db8:f::8\n250 try eth0/ipv6 2001:db8:f::9\n251 win eth0/ipv6 2001:db8:f::9\n251 drop eth0/ipv6 2001:db8:f::8",
		},
		{
			cite: "V4.2.1: no hint of what is known not to be",
			world: `domain eth0/ipv6 2001:db8:1::2/64
				svc eth0/ipv6 20 1 www.example six=2001:db8:f::8
				dns eth0/ipv6 AAAA 10 none`,
			want: "",
		},
		{
			cite: "V4.2.1: a target is asked for, in parallel with attempts to the name, whose record is as good",
			world: served + `svc eth0/ipv6 0 1 www.example 1 alt.example
				svc eth0/ipv4 0 none
				dns eth0/ipv6 alt.example/AAAA 30 2001:db8:f::a
				dns eth0/ipv4 A 0
				seed 1
				host eth0/ipv6 2001:db8:f::a 1 ok`,
			want: `0 ask eth0/ipv4 www.example https
				0 ask eth0/ipv6 www.example https
				0 ask eth0/ipv6 www.example ipv6
				0 ask eth0/ipv4 www.example ipv4
				0 ask eth0/ipv6 alt.example. ipv6
				0 try eth0/ipv6 2001:db8:f::1
				250 try eth0/ipv6 2001:db8:f::a
				251 win eth0/ipv6 2001:db8:f::a
				251 drop eth0/ipv6 2001:db8:f::1`,
		},
		{
			cite: "V5.2: the lowest priority is first, with its own port; the name without a service is last",
			world: `domain eth0/ipv6 2001:db8:1::2/64
				svc eth0/ipv6 0 1 one.example port=8443 2 two.example
				dns eth0/ipv6 AAAA 0 2001:db8:f::1
				dns eth0/ipv6 one.example/AAAA 10 2001:db8:f::a
				dns eth0/ipv6 two.example/AAAA 0 2001:db8:f::b
				abort 600`,
			want: `10 try eth0/ipv6 [2001:db8:f::a]:8443
				260 try eth0/ipv6 2001:db8:f::b
				510 try eth0/ipv6 2001:db8:f::1
				600 drop eth0/ipv6 [2001:db8:f::a]:8443
				600 drop eth0/ipv6 2001:db8:f::b
				600 drop eth0/ipv6 2001:db8:f::1`,
		},
		{
			cite: "V6: all endpoints of the first service are started before those of the next; families alternate in each",
			world: `domain eth0 192.0.2.2/24 2001:db8:1::2/64
				svc eth0 0 1 one.example 2 two.example
				dns eth0 AAAA 0
				dns eth0 A 0
				dns eth0 one.example/AAAA 0 2001:db8:f::1 2001:db8:f::2
				dns eth0 one.example/A 0 198.51.100.1
				dns eth0 two.example/AAAA 0 2001:db8:f::3
				dns eth0 two.example/A 0 198.51.100.3
				abort 1100`,
			want: `0 try eth0 2001:db8:f::1
				250 try eth0 198.51.100.1
				500 try eth0 2001:db8:f::2
				750 try eth0 2001:db8:f::3
				1000 try eth0 198.51.100.3
				1100 drop eth0 2001:db8:f::1
				1100 drop eth0 198.51.100.1
				1100 drop eth0 2001:db8:f::2
				1100 drop eth0 2001:db8:f::3
				1100 drop eth0 198.51.100.3`,
		},
		{
			cite: "S3: the name is tried in the default way when its services have failed",
			world: `domain eth0/ipv6 2001:db8:1::2/64
				svc eth0/ipv6 0 1 www.example port=8443
				dns eth0/ipv6 AAAA 0 2001:db8:f::1
				host eth0/ipv6 [2001:db8:f::1]:8443 20 refused
				host eth0/ipv6 2001:db8:f::1 1 ok`,
			want: `0 try eth0/ipv6 [2001:db8:f::1]:8443
				20 fail eth0/ipv6 [2001:db8:f::1]:8443
				20 try eth0/ipv6 2001:db8:f::1
				21 win eth0/ipv6 2001:db8:f::1`,
		},
		{
			cite: "S3: an alias whose end has no records of its own is reached in the default way",
			world: `domain eth0/ipv6 2001:db8:1::2/64
				svc eth0/ipv6 0 0 end.example
				dns eth0/ipv6 AAAA 0 2001:db8:f::1
				dns eth0/ipv6 end.example/AAAA 5 2001:db8:f::e
				host eth0/ipv6 2001:db8:f::e 1 ok`,
			want: "5 try eth0/ipv6 2001:db8:f::e\n6 win eth0/ipv6 2001:db8:f::e",
		},
		{
			cite: "S2.4.3: the record of a name at the end of aliases is about the addresses that come with it: it is not asked twice",
			world: `domain eth0/ipv6 2001:db8:1::2/64
				svc eth0/ipv6 5 1 cdn.example port=8443
				dns eth0/ipv6 AAAA 0 cname=cdn.example 2001:db8:f::1
				host eth0/ipv6 [2001:db8:f::1]:8443 1 ok`,
			want: `0 ask eth0/ipv6 www.example https
				0 ask eth0/ipv6 www.example ipv6
				5 try eth0/ipv6 [2001:db8:f::1]:8443
				6 win eth0/ipv6 [2001:db8:f::1]:8443`,
		},
		{
			cite: "V6.2: no connection is attempted to a service that speaks nothing that the program does",
			world: `domain eth0/ipv6 2001:db8:1::2/64
				alpn h2 http/1.1
				svc eth0/ipv6 0 1 one.example only=h3 2 two.example only=h3,h2 3 three.example alpn=h3
				dns eth0/ipv6 AAAA 0
				dns eth0/ipv6 one.example/AAAA 0 2001:db8:f::1
				dns eth0/ipv6 two.example/AAAA 0 2001:db8:f::2
				dns eth0/ipv6 three.example/AAAA 0 2001:db8:f::3
				abort 400`,
			want: `0 try eth0/ipv6 2001:db8:f::2
				250 try eth0/ipv6 2001:db8:f::3
				400 drop eth0/ipv6 2001:db8:f::2
				400 drop eth0/ipv6 2001:db8:f::3`,
		},
		{
			cite: "M: a hint is dialled in the domain that gave it and in no other, and only if that has the family",
			world: plain + `svc eth0/ipv4 0 1 www.example six=2001:db8:f::9 four=198.51.100.9
				svc eth0/ipv6 0 none
				dns eth0/ipv4 A 300 198.51.100.1
				dns eth0/ipv6 AAAA 0
				host eth0/ipv4 198.51.100.9 1 ok`,
			want: "0 try eth0/ipv4 198.51.100.9\n1 win eth0/ipv4 198.51.100.9",
		},
		{
			cite: "V8.2: an IPv4 hint is synthesised behind a NAT64",
			world: `domain eth0/ipv6 2001:db8:1::2/64 pref64=64:ff9b::/96
				svc eth0/ipv6 0 1 www.example four=198.51.100.1
				dns eth0/ipv6 AAAA 0
				dns eth0/ipv6 A 300 198.51.100.1
				host eth0/ipv6 64:ff9b::c633:6401 1 ok`,
			want: "0 try eth0/ipv6 64:ff9b::c633:6401\n1 win eth0/ipv6 64:ff9b::c633:6401",
		},
		{
			cite: "RFC 9848, 5.1: if every service has keys, the name is not tried without one",
			world: `domain eth0/ipv6 2001:db8:1::2/64
				ech
				svc eth0/ipv6 0 1 one.example ech=x
				dns eth0/ipv6 AAAA 0 2001:db8:f::1
				dns eth0/ipv6 one.example/AAAA 0 2001:db8:f::a
				host eth0/ipv6 2001:db8:f::a 1 refused
				patience 300`,
			want: "0 try eth0/ipv6 2001:db8:f::a\n1 fail eth0/ipv6 2001:db8:f::a",
		},
		{
			cite: "RFC 9848, 5.1: if one has none, or the program cannot use them, it is",
			world: `domain eth0/ipv6 2001:db8:1::2/64
				svc eth0/ipv6 0 1 one.example ech=x
				dns eth0/ipv6 AAAA 0 2001:db8:f::1
				dns eth0/ipv6 one.example/AAAA 0 2001:db8:f::a
				host eth0/ipv6 2001:db8:f::a 20 refused
				host eth0/ipv6 2001:db8:f::1 1 ok`,
			want: "0 try eth0/ipv6 2001:db8:f::a\n20 fail eth0/ipv6 2001:db8:f::a\n20 try eth0/ipv6 2001:db8:f::1\n21 win eth0/ipv6 2001:db8:f::1",
		},
		{
			cite: "RFC 9849, 6.1.6: who knows no such keys is tried again with those that it gave, before anything else",
			world: plain + `ech
				svc eth0/ipv6 0 1 www.example ech=old
				svc eth0/ipv4 0 1 www.example ech=old
				host eth0/ipv6 2001:db8:f::1 5 ok
				valid eth0/ipv6 2001:db8:f::1+old 15 rejected
				valid eth0/ipv6 2001:db8:f::1+new 1 ok`,
			want: `0 try eth0/ipv6 2001:db8:f::1
				20 fail eth0/ipv6 2001:db8:f::1
				20 try eth0/ipv6 2001:db8:f::1
				26 win eth0/ipv6 2001:db8:f::1`,
		},
		{
			cite: "RFC 9849, 6.1.6: once, and without keys if it gave none",
			world: `domain eth0/ipv6 2001:db8:1::2/64
				ech
				svc eth0/ipv6 0 1 www.example ech=old
				dns eth0/ipv6 AAAA 0 2001:db8:f::1 2001:db8:f::2
				host eth0/ipv6 2001:db8:f::1 5 ok
				host eth0/ipv6 2001:db8:f::2 5 ok
				valid eth0/ipv6 2001:db8:f::1+old 15 rejected
				valid eth0/ipv6 2001:db8:f::1+new 15 rejected
				valid eth0/ipv6 2001:db8:f::2+old 15 disabled
				valid eth0/ipv6 2001:db8:f::2 1 ok`,
			want: `0 try eth0/ipv6 2001:db8:f::1
				20 fail eth0/ipv6 2001:db8:f::1
				20 try eth0/ipv6 2001:db8:f::1
				40 fail eth0/ipv6 2001:db8:f::1
				40 try eth0/ipv6 2001:db8:f::2
				60 fail eth0/ipv6 2001:db8:f::2
				60 try eth0/ipv6 2001:db8:f::2
				66 win eth0/ipv6 2001:db8:f::2`,
		},
		{
			cite: "V5.2: addresses without a service are at the end of the list, whichever domain they are of",
			world: plain + `svc eth0/ipv6 0 1 www.example
				svc eth0/ipv4 0 none
				dns eth0/ipv6 AAAA 0 2001:db8:f::1 2001:db8:f::2
				abort 600`,
			want: `0 try eth0/ipv6 2001:db8:f::1
				250 try eth0/ipv6 2001:db8:f::2
				500 try eth0/ipv4 198.51.100.1
				600 drop eth0/ipv6 2001:db8:f::1
				600 drop eth0/ipv6 2001:db8:f::2
				600 drop eth0/ipv4 198.51.100.1`,
		},
		{
			cite: "RFC 9849, 6.1.6: before what is better otherwise, too",
			world: plain + `ech
				svc eth0/ipv6 0 1 www.example ech=old
				svc eth0/ipv4 0 1 www.example ech=old
				dns eth0/ipv6 AAAA 100 2001:db8:f::1
				dns eth0/ipv4 A 0 ttl=60 198.51.100.1
				host eth0/ipv4 198.51.100.1 5 ok
				valid eth0/ipv4 198.51.100.1+old 85 rejected
				valid eth0/ipv4 198.51.100.1+new 1 ok`,
			want: `50 try eth0/ipv4 198.51.100.1
				140 fail eth0/ipv4 198.51.100.1
				140 try eth0/ipv4 198.51.100.1
				146 win eth0/ipv4 198.51.100.1`,
		},
		{
			cite: "M: a domain that could not say how a name is served is asked again when its configuration changes",
			world: `domain eth0/ipv6 2001:db8:1::2/64
				svc eth0/ipv6 10 error
				dns eth0/ipv6 AAAA 10 error
				again eth0/ipv6 5 AAAA 5 2001:db8:f::1
				host eth0/ipv6 2001:db8:f::1 1 ok`,
			want: `0 ask eth0/ipv6 www.example https
				0 ask eth0/ipv6 www.example ipv6
				10 ask eth0/ipv6 www.example https
				10 ask eth0/ipv6 www.example ipv6
				20 try eth0/ipv6 2001:db8:f::1
				21 win eth0/ipv6 2001:db8:f::1`,
		},
	}...)
}

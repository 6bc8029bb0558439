package happyeyeballs

import (
	"strings"
	"testing"
)

// draw plays a world and gives its picture.
func draw(t *testing.T, world string) string {
	s := newSim(t, "www.example:80", world)
	var line Timeline
	s.m.trace = line.Trace()
	s.run(t)
	return line.String()
}

func TestTimeline(t *testing.T) {
	for _, c := range []struct{ world, want string }{
		{plain + "host eth0/ipv6 2001:db8:f::1 3 ok", `
                    0 ms
eth0/ipv4           ....
  A www.example     1     0 ms
eth0/ipv6           ....
  AAAA www.example  1     0 ms
  2001:db8:f::1     ---*  3 ms, won after 3 ms
`},
		{plain + "dns eth0/ipv6 AAAA 200 2001:db8:f::1\ndns eth0/ipv4 A 20 198.51.100.1\nhost eth0/ipv4 198.51.100.1 30 ok", `
                    0         50        100 ms
eth0/ipv4           .....................
  A www.example     ====1                  20 ms
  198.51.100.1                    ------*  30 ms, won after 100 ms
eth0/ipv6           .....................
  AAAA www.example  ====================/  cancelled
`},
		{two + `domain eth0/ipv6 2001:db8:1::2/64 leave=100
			dns eth0/ipv6 AAAA 10 2001:db8:f::1
			dns eth0/ipv4 A 5 error
			host wlan0/ipv4 198.51.100.2 80 ok
			valid wlan0/ipv4 198.51.100.2 40 ok`, `
                    0         50        100       150       200 ms
eth0/ipv4           .............................................
  A www.example     =0                                             5 ms, no such name
wlan0/ipv4          .............................................
  A www.example     1                                              0 ms
  198.51.100.2                          ----------------+=======*  120 ms, won after 220 ms
eth0/ipv6           ....................)                          gone after 100 ms
  AAAA www.example  ==1                                            10 ms
  2001:db8:f::1       ------------------x                          90 ms, mif: no such provisioning domain
`},
		{"domain eth0/ipv4 192.0.2.2/24\ndns eth0/ipv4 A 1 198.51.100.1\nhost eth0/ipv4 198.51.100.1 2600 refused", `
                 0         1000      2000 ms
eth0/ipv4        ...........................
  A www.example  1                            1 ms
  198.51.100.1   --------------------------x  2600 ms, connection refused
`},
	} {
		if got := "\n" + draw(t, c.world); got != c.want {
			t.Errorf("got%s\nwant%s", got, c.want)
		}
	}
	if s := (&Timeline{}).String(); s != "" {
		t.Errorf("of nothing: %q", s)
	}
}

// Without an end a bar goes on to the end of the picture.
func TestTimelineUnderWay(t *testing.T) {
	s := newSim(t, "www.example:80", plain)
	var line Timeline
	hooks := line.Trace()
	d := s.domains[1]
	hooks.Joined(epoch, d.Domain)
	hooks.Asked(epoch, Lookup{d.PvD, "www.example", 6, ""})
	hooks.Asked(epoch, Lookup{PvD: d.PvD, Name: "www.example", Service: "https"})
	hooks.Asked(epoch, Lookup{PvD: d.PvD, Name: "www.example", Service: "dns"})
	hooks.Joined(epoch.Add(ms(4)), s.domains[0].Domain)
	if got := line.String(); strings.Count(got, "\n") != 6 || !strings.Contains(got, "  HTTPS www.example  ====\n  SVCB www.example   ====") || !strings.Contains(got, "AAAA www.example   ====\n") {
		t.Errorf("got\n%s", got)
	}
}

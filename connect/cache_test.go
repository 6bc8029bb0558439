package connect

import (
	"net/netip"
	"testing"
	"time"
)

func flowTo(port uint16) flow {
	return flow{query: query{to: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), port), iface: 7, transport: "tcp"}}
}

func TestRouteCache(t *testing.T) {
	var c RouteCache
	start := time.Unix(1000, 0)
	via := hop{router: netip.MustParseAddr("10.0.0.1")}
	want := func(when string, f flow, generation uint64, at time.Time, want bool) {
		t.Helper()
		h, ok := c.find(f, generation, at)
		if ok != want || ok && h != via {
			t.Errorf("%s: %v, %v", when, h, ok)
		}
	}
	want("empty", flowTo(80), 1, start, false)
	c.keep(flowTo(80), 1, answered{via, start})
	want("kept", flowTo(80), 1, start, true)
	want("another port", flowTo(81), 1, start, false)
	other := flowTo(80)
	other.kernel.netns = "/run/netns/x"
	want("another namespace", other, 1, start, false)
	want("almost too old", flowTo(80), 1, start.Add(cacheAge-1), true)
	want("too old", flowTo(80), 1, start.Add(cacheAge), false)
	want("next generation", flowTo(80), 2, start, false)
	want("a reader that is behind", flowTo(80), 1, start, false)
	c.keep(flowTo(80), 1, answered{via, start})
	want("kept by one that is behind", flowTo(80), 2, start, false)
}

func TestRouteCacheIsBounded(t *testing.T) {
	var c RouteCache
	c.find(flowTo(1), 1, time.Now())
	for port := range uint16(60000) {
		c.keep(flowTo(port), 1, answered{at: time.Now()})
		if n := len(c.answers); n > cacheSize {
			t.Fatalf("%d answers", n)
		}
	}
	if _, ok := c.find(flowTo(59999), 1, time.Now()); !ok {
		t.Error("the latest answer is not there")
	}
}

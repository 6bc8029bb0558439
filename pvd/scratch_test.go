package pvd

import (
	"fmt"
	"reflect"
	"testing"
)

func TestScratch(t *testing.T) {
	c := full()
	k := c.Clone()
	if !reflect.DeepEqual(c, k) {
		t.Errorf("%+v was kept as %+v", c, k)
	}
	c.clear()
	if !c.empty() {
		t.Errorf("%+v is left of what was cleared", c)
	}
	if !reflect.DeepEqual(k, full()) {
		t.Errorf("what was kept lies where it was made: %+v", k)
	}
	if k := c.Clone(); !reflect.DeepEqual(k, Configuration{}) {
		t.Errorf("%+v is kept of nothing", k)
	}
}

// TestKept: what is made of one link is not touched by making the next.
func TestKept(t *testing.T) {
	all := crowd()[:100]
	for i, f := range all {
		all[i] = uplinkTo(f, fmt.Sprintf("10.0.%d.254", i))
	}
	together := Build(&Snapshot{}, all, nil, Options{}, start)
	for _, f := range all {
		alone := Build(&Snapshot{}, []*Facts{f}, nil, Options{}, start)
		if is, want := content(together.Link(f.Interface.ID), true), content(alone.Link(f.Interface.ID), true); is != want {
			t.Fatalf("%s among others:\n%s\nalone:\n%s", f.Interface.Name, is, want)
		}
	}
}

// TestFirstCost: links with two addresses cost few allocations each.
func TestFirstCost(t *testing.T) {
	all := crowd()
	n := testing.AllocsPerRun(1, func() { Build(&Snapshot{}, all, nil, Options{}, start) })
	if n > 10*many {
		t.Errorf("%.0f allocations for %d links", n, many)
	}
}

// TestBuilderLetsGo: a link with very many addresses does not leave a Builder large.
func TestBuilderLetsGo(t *testing.T) {
	var b Builder
	f := ethernet(2, "eth0")
	for i := range 2000 {
		f.Addresses = append(f.Addresses, address(fmt.Sprintf("10.0.%d.%d/32", i/200, i%200+1), forever))
	}
	s := b.Build(&Snapshot{}, []*Facts{f}, nil, Options{}, start)
	if b.g.scratch.large() {
		t.Error("it keeps the memory")
	}
	s = b.Build(s, []*Facts{with(f, func(f *Facts) { f.Addresses = f.Addresses[:1] })}, nil, Options{}, start)
	for d := range s.Domains() {
		if n := len(d.addresses); n != 1 {
			t.Errorf("%d addresses", n)
		}
	}
}

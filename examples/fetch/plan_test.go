package main

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
)

// Sources of random speeds that end and come again write every octet once.
func TestPlan(t *testing.T) {
	const size, sources = 10_000, 5
	for seed := range uint64(50) {
		p := newPlan(size)
		p.least = 10
		var wg sync.WaitGroup
		var mu sync.Mutex
		count := make([]int, size)
		for i := range sources {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(seed, uint64(i)))
				for one := p.take(t.Context(), r.Float64()); one != nil; one = p.take(t.Context(), r.Float64()) {
					for n := 1 + r.IntN(100); n > 0 && p.extent(one).at < p.extent(one).end; n-- {
						at, ours := p.claim(one, 1+r.IntN(100), r.Float64())
						mu.Lock()
						for k := range ours {
							count[int(at)+k]++
						}
						mu.Unlock()
						p.wrote(ours)
					}
					p.release(one)
				}
			})
		}
		wg.Wait()
		for at, c := range count {
			if c != 1 {
				t.Fatalf("seed %d: octet %d was written %d times", seed, at, c)
			}
		}
	}
}

// The share of a thief is as its rate is to both.
func TestSteal(t *testing.T) {
	for _, c := range []struct {
		mine, other float64
		left, want  int64
	}{
		{0, 0, 1000, 500},
		{300, 100, 1000, 750},
		{100, 300, 1000, 250},
		{100, 0, 1000, 500},
		{1, 1e9, 1000, 100}, // never less than is worth a request
		{1e9, 1, 1000, 900},
		{1, 1, 199, 0},
	} {
		p := newPlan(c.left)
		p.least = 100
		first := p.take(t.Context(), c.other)
		got := p.steal(c.mine)
		if got.end-got.at != c.want || c.want > 0 && (first.end != got.at || got.end != c.left) {
			t.Errorf("%+v: stolen %v", c, got)
		}
	}
}

// Nobody waits longer than the context lasts.
func TestTakeEnds(t *testing.T) {
	p := newPlan(1)
	p.take(t.Context(), 0)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if one := p.take(ctx, 0); one != nil {
		t.Errorf("%+v", one)
	}
}

func TestContentRange(t *testing.T) {
	for in, want := range map[string]span{
		"bytes 0-0/1":                      {0, 1},
		"bytes 5-9/10":                     {5, 10},
		"bytes 5-10/10":                    {},
		"bytes 9-5/10":                     {},
		"bytes 0-0/*":                      {},
		"bytes */10":                       {},
		"octets 0-0/1":                     {},
		"bytes -1-0/1":                     {},
		"bytes 0-0/1e3":                    {},
		"":                                 {},
		"bytes 0-0/9999999999999999999999": {},
	} {
		got, _, err := contentRange(in)
		if got != want || (err == nil) != (want != span{}) {
			t.Errorf("%q is %v %v, want %v", in, got, err, want)
		}
	}
}

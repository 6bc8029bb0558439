package additional

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/go-mif/mif/pvd"
)

// A past is what a random rig did, as the rules of section 4.1 look at it.
type past struct {
	all    []time.Time            // requests on the network
	of     map[string][]time.Time // for a name
	failed map[string]bool
}

// Whatever happens, and in whatever order, the limits of sections 4.1 and 6 hold, and what
// is there is true.
func TestLimitsHold(t *testing.T) {
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		r := newRig(t, rnd.Float64())
		names := make([]string, 16)
		for i := range names {
			names[i] = fmt.Sprintf("n%d.example", i)
		}
		r.attach("eth0", names[:1+rnd.IntN(16)]...)
		p := &past{of: map[string][]time.Time{}, failed: map[string]bool{}}
		for range 300 {
			shake(rnd, r)
			r.now = r.now.Add(time.Duration(rnd.IntN(4000)) * time.Millisecond)
			if rnd.IntN(10) == 0 {
				r.now = r.now.Add(time.Duration(rnd.IntN(3600)) * time.Second)
			}
			checkStep(t, seed, r, p, randomResults(rnd, r, p))
		}
	}
}

// shake changes something about the domains.
func shake(rnd *rand.Rand, r *rig) {
	n := &r.networks[0]
	d := &n.Domains[rnd.IntN(len(n.Domains))]
	switch rnd.IntN(8) {
	case 0:
		d.Option.Sequence++
	case 1:
		d.Option.HTTP = !d.Option.HTTP
	case 2:
		d.Ready = !d.Ready
	case 3:
		d.Option.Delay = uint8(rnd.IntN(16))
	case 4:
		d.ID = identities(n.ID, d.Option.FQDN)[0]
	}
}

// randomResults ends some of the fetches that are under way.
func randomResults(rnd *rand.Rand, r *rig, p *past) (all []Result) {
	for n, f := range r.begun {
		if rnd.IntN(3) > 0 {
			continue
		}
		delete(r.begun, n)
		res := Result{Domain: f.Domain.ID, Serial: n}
		switch rnd.IntN(8) {
		case 0:
			res.Err = errHTTP
		case 1:
			res.Err = ErrUnreachable
		default:
			res.Information = &pvd.Information{Identifier: f.Domain.Option.FQDN, Expires: r.now.Add(time.Duration(1+rnd.IntN(3600)) * time.Second)}
		}
		all = append(all, res)
	}
	return all
}

func checkStep(t *testing.T, seed uint64, r *rig, p *past, results []Result) {
	a := r.s.Step(r.now, r.networks, results)
	for _, f := range a.Failed {
		p.failed[f.Domain.String()] = true
	}
	for _, n := range a.End {
		delete(r.begun, n)
	}
	for _, f := range a.Begin {
		r.begun[f.Serial] = f
		name := f.Domain.Option.FQDN
		if p.failed["eth0/"+name] || len(p.failed) >= 10 || !f.Domain.Option.HTTP || !f.Domain.Ready {
			t.Fatalf("seed %d: %v is fetched, with %d failed", seed, f.Domain, len(p.failed))
		}
		if of := p.of[name]; len(of) > 0 && r.now.Sub(of[len(of)-1]) < 10*time.Second {
			t.Fatalf("seed %d: %s is fetched after %v", seed, name, r.now.Sub(of[len(of)-1]))
		}
		if n := len(p.all); n >= 5 && r.now.Sub(p.all[n-5]) < 10*time.Second {
			t.Fatalf("seed %d: six in %v", seed, r.now.Sub(p.all[n-5]))
		}
		p.of[name], p.all = append(p.of[name], r.now), append(p.all, r.now)
	}
	checkFetched(t, seed, r)
	if n := r.s.networks[r.networks[0].ID]; len(n.requests) > maxRequests || len(n.last) > maxRequests || len(n.refused) > len(n.tasks) {
		t.Fatalf("seed %d: %d, %d and %d are remembered", seed, len(n.requests), len(n.last), len(n.refused))
	}
	if !a.Next.IsZero() && !a.Next.After(r.now) {
		t.Fatalf("seed %d: Next is %v at %v", seed, a.Next, r.now)
	}
}

// checkFetched checks that there is only what is of the present option, and holds.
func checkFetched(t *testing.T, seed uint64, r *rig) {
	now := map[pvd.ID]Domain{}
	for _, d := range r.networks[0].Domains {
		now[d.ID] = d
	}
	for _, f := range r.s.Fetched(r.networks[0].ID) {
		d, there := now[f.PvD]
		if !there || !d.Option.HTTP || d.Option.Sequence != f.Sequence || !f.Information.Expires.After(r.now) || f.Information.Identifier != d.Option.FQDN {
			t.Fatalf("seed %d: %+v of %+v at %v", seed, f, d, r.now)
		}
	}
}

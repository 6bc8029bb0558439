package resolver

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"
)

// inDomain answers with an address that tells the domain.
func inDomain(domain int, closed *atomic.Bool) func(query) {
	return func(q query) {
		if closed.Load() {
			panic("a query came after Close")
		}
		switch {
		case rand.N(10) == 0:
			// lost
		case rand.N(10) == 0 && !q.tcp:
			m := answer(q)
			m.Truncated = true
			q.send(m)
		case rand.N(10) == 0:
			q.send(soaAnswer(q, dns.RcodeNameError, 5, 5))
		case q.qtype() == dns.TypeA:
			q.after(time.Duration(rand.N(30))*ms, answer(q, fmt.Sprintf("%s 2 IN A 10.%d.0.1", q.qname(), domain)))
		default:
			q.after(time.Duration(rand.N(30))*ms, answer(q, fmt.Sprintf("%s 2 IN AAAA 2001:db8:%x::1", q.qname(), domain)))
		}
	}
}

// TestDomainsApart makes 10,000 look-ups in domains that come and go, all with
// the same server address and the same names. No answer crosses, no query comes
// after a domain's end, and nothing is left.
func TestDomainsApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tasks sync.WaitGroup
		var answers atomic.Int32
		for domain := range 50 {
			tasks.Go(func() {
				time.Sleep(time.Duration(rand.N(2000)) * ms)
				answers.Add(live(t, domain+1))
			})
		}
		tasks.Wait()
		if answers.Load() < 5000 {
			t.Errorf("only %d look-ups had an answer", answers.Load())
		}
	})
}

// live is a domain's life: 200 look-ups, in the midst of which it ends.
func live(t *testing.T, domain int) int32 {
	var closed atomic.Bool
	r := fakeResolver(t, []func(query){inDomain(domain, &closed), inDomain(domain, &closed)})
	want := []string{fmt.Sprintf("10.%d.0.1", domain), fmt.Sprintf("2001:db8:%x::1", domain)}
	var tasks sync.WaitGroup
	var found atomic.Int32
	for i := range 200 {
		tasks.Go(func() {
			time.Sleep(time.Duration(i) * 10 * ms)
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+rand.N(6000))*ms)
			defer cancel()
			got, err := collect(ctx, r, fmt.Sprintf("n%d.example.com", rand.N(20)), Family(rand.N(3)))
			for _, a := range got {
				if !slices.Contains(want, a) {
					t.Errorf("domain %d has the answer %s", domain, a)
				}
			}
			if len(got) > 0 {
				found.Add(1)
			} else if err == nil {
				t.Error("neither addresses nor an error")
			}
			if i == 100 {
				r.Forget()
			}
		})
	}
	time.Sleep(1900 * ms)
	synctestClose(r, &closed)
	tasks.Wait()
	if _, err := collect(t.Context(), r, "www.example.com", Both); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
	if n := len(r.links.open); n != 0 {
		t.Errorf("%d sockets are open", n)
	}
	return found.Load()
}

// synctestClose closes a resolver; what was sent before has arrived by the next
// moment.
func synctestClose(r *Resolver, closed *atomic.Bool) {
	r.Close()
	time.AfterFunc(ms, func() { closed.Store(true) })
}

package resolver

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"
)

// TestFailureOverridden: an answer that is not kept ends a failure that was, and the
// next one is the first.
func TestFailureOverridden(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		r := fakeResolver(t, []func(query){func(q query) {
			if asked++; asked != 2 {
				q.send(failing(q, dns.RcodeServerFailure))
				return
			}
			q.send(answer(q, "www.example.com. 0 IN A 192.0.2.1"))
		}})
		for i, want := range []error{ErrServerFailure, ErrServerFailure, nil, ErrServerFailure, ErrServerFailure, ErrServerFailure} {
			if i == 2 || i == 5 {
				time.Sleep(firstFailed)
			}
			if _, err := collect(t.Context(), r, "www.example.com", IPv4); !errors.Is(err, want) {
				t.Errorf("look-up %d: %v, want %v", i, err, want)
			}
		}
		if asked != 4 {
			t.Errorf("asked %d times", asked)
		}
	})
}

// TestFewSocketsInSilence: tries again at a silent server need no new sockets.
func TestFewSocketsInSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var made atomic.Int32
		r := fakeResolver(t, []func(query){silent, silent})
		dial := r.Dial
		r.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			made.Add(1)
			return dial(ctx, network, address)
		}
		if _, err := collect(t.Context(), r, "www.example.com", Both); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if n := made.Load(); n < 2 || n > 4 { // for each server and family
			t.Errorf("%d sockets", n)
		}
	})
}

// TestSearchWithCopies: copies of a denial do not count for the next candidate.
func TestSearchWithCopies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := fakeResolver(t, []func(query){func(q query) {
			if q.qname() != "www.third.test." {
				q.send(failing(q, dns.RcodeNameError), failing(q, dns.RcodeNameError))
				q.after(10*ms, failing(q, dns.RcodeNameError))
				return
			}
			q.after(50*ms, truth(q))
		}})
		cfg, _ := r.Config()
		cfg.Search = []string{"first.test", "second.test", "third.test"}
		r.Config = func() (Config, error) { return cfg, nil }
		if got, err := collect(t.Context(), r, "www", IPv4); err != nil || len(got) != 1 {
			t.Errorf("%v, %v", got, err)
		}
	})
}

package resolver

import (
	"context"
	"fmt"
	"net"
	"time"
)

// A patience is how long somebody waits for an answer: until the context ends,
// or the time of the look-up, or the Resolver.
type patience struct {
	ctx   context.Context
	until time.Time
	life  <-chan struct{}
}

func (p *patience) done() <-chan struct{} { return p.ctx.Done() }

// sooner gives the earlier of a moment and the end of the look-up's time.
func (p *patience) sooner(t time.Time) time.Time {
	if p.until.Before(t) {
		return p.until
	}
	return t
}

// over tells whether the wait is at its end.
func (p *patience) over(now time.Time) bool {
	select {
	case <-p.life:
		return true
	default:
		return p.ctx.Err() != nil || !now.Before(p.until)
	}
}

// err gives the error for the end of the wait. The note says what else is
// known, or nothing.
func (p *patience) err(note string) error {
	select {
	case <-p.life:
		return fmt.Errorf("%w: %w", context.Canceled, net.ErrClosed)
	default:
	}
	if p.ctx.Err() != nil {
		return ended(p.ctx, note)
	}
	if note != "" {
		return timeout{fmt.Errorf("%w (%s)", context.DeadlineExceeded, note)}
	}
	return timeout{context.DeadlineExceeded}
}

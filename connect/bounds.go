package connect

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// bounds are what can end a dial from outside: the caller's context, the domain's
// life and the Dialer's Timeout, joined in ctx.
type bounds struct {
	caller, life context.Context
	timeout      time.Duration
	ctx          context.Context
	end          func() // releases what begin took
}

func (d *Dialer) begin(ctx context.Context) *bounds {
	b := &bounds{caller: ctx, life: d.Context, timeout: d.Timeout, ctx: ctx, end: func() {}}
	if d.Timeout > 0 {
		b.ctx, b.end = context.WithTimeout(ctx, d.Timeout)
	}
	if d.Context != nil {
		b.join()
	}
	return b
}

func (b *bounds) join() {
	joined, cancel := context.WithCancel(b.ctx)
	stop := context.AfterFunc(b.life, cancel)
	inner := b.end
	b.ctx, b.end = joined, func() { stop(); cancel(); inner() }
}

// err tells what has ended the dial; nil while nothing has. The domain's end comes
// first: it explains the others.
func (b *bounds) err() error {
	switch {
	case b.life != nil && b.life.Err() != nil:
		return context.Cause(b.life)
	case b.caller.Err() != nil:
		return withCause(b.caller)
	case b.ctx.Err() != nil:
		return fmt.Errorf("no answer within %v: %w", b.timeout, context.DeadlineExceeded)
	}
	return nil
}

// over is err, seen after connect returned. A connect that hit a deadline can be a
// moment ahead of the context whose deadline it is, which is then waited for.
func (b *bounds) over(connect error) error {
	if errors.Is(connect, os.ErrDeadlineExceeded) || errors.Is(connect, context.DeadlineExceeded) {
		if _, timed := b.ctx.Deadline(); timed {
			<-b.ctx.Done()
		}
	}
	return b.err()
}

// withCause lets errors.Is find both the kind of end and the reason given for it.
func withCause(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if cause == err {
		return err
	}
	return fmt.Errorf("%w: %w", err, cause)
}

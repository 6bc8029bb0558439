package pvd

import "time"

// tolerance is how far two instants may be apart that were computed from
// lifetimes in whole seconds and yet are the same.
const tolerance = 2 * time.Second

// settleTime decides whether the end of a lifetime that was told as old, and now
// is t, is news. It is not if it came nearer by no more than the tolerance, or
// was put off by no more than that or an eighth of what remains: so a router
// that refreshes a lifetime every few seconds is heard of a few times in that
// lifetime, and nobody believes in an end that is more than two seconds too
// late. Two ends that have both passed are no news either: a router that deprecates
// a prefix says so again and again; but that what was told has passed, and t has not,
// is. The instant to keep is returned. A zero time is the end of time.
func settleTime(t, old, now time.Time) (time.Time, bool) {
	if t.IsZero() || old.IsZero() {
		return t, t.IsZero() == old.IsZero()
	}
	if past(old, now) {
		if past(t, now) {
			return old, true
		}
		return t, false
	}
	later := max(tolerance, t.Sub(now)/8)
	if d := t.Sub(old); d < -tolerance || d > later {
		return t, false
	}
	return old, true
}

// settle is settleTime, and sees to it that an end that is kept, but is too
// early, is looked at again before anybody sees it pass.
func (g *gathering) settle(t, old time.Time) (time.Time, bool) {
	kept, same := settleTime(t, old, g.now)
	if kept.Before(t) && !past(kept, g.now) {
		g.expires = earlier(g.expires, kept)
	}
	return kept, same
}

// past tells whether a lifetime has ended. A zero time is the end of time.
func past(t, now time.Time) bool { return !t.IsZero() && !t.After(now) }

// earlier is the earlier of two ends. A zero time is the end of time.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

package resolver

import (
	"crypto/rand"
	"encoding/binary"
	"sync"
)

// An entropy gives bits that cannot be guessed (RFC 5452 §9.2), from the
// system's generator, which is asked for many at a time.
type entropy struct {
	mu   sync.Mutex
	room [512]byte
	left []byte
}

func (e *entropy) uint16() uint16 {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.left) == 0 {
		e.left = e.room[:]
		_, _ = rand.Read(e.left) // cannot fail
	}
	n := binary.BigEndian.Uint16(e.left)
	clear(e.left[:2])
	e.left = e.left[2:]
	return n
}

package main

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"net/http"
	"os"
	"strings"
)

// A digest is the hash of a whole file, in hexadecimal, by an algorithm as RFC 9530 and
// RFC 3230 name it, in small letters. The zero digest is none.
type digest struct{ algorithm, sum string }

func (d digest) String() string { return d.algorithm + " " + d.sum }

// newHash is nil for an algorithm that is too weak or not known.
func newHash(algorithm string) hash.Hash {
	switch algorithm {
	case "sha-256":
		return sha256.New()
	case "sha-512":
		return sha512.New()
	}
	return nil
}

// promised is what an answer says of the whole file, whichever part of it it carries:
// the Repr-Digest of RFC 9530, section 3, or the Digest of RFC 3230 before it. What is
// not understood is passed over.
func promised(h http.Header) digest {
	for _, field := range []string{"Repr-Digest", "Digest"} {
		for _, one := range strings.Split(strings.Join(h.Values(field), ","), ",") {
			algorithm, value, _ := strings.Cut(strings.TrimSpace(one), "=")
			algorithm = strings.ToLower(algorithm)
			if field == "Repr-Digest" {
				value = sequence(value)
			}
			sum, err := base64.StdEncoding.DecodeString(value)
			if n := newHash(algorithm); err == nil && n != nil && len(sum) == n.Size() {
				return digest{algorithm, hex.EncodeToString(sum)}
			}
		}
	}
	return digest{}
}

// sequence is what a byte sequence (RFC 9651, section 3.3.5) has between its colons.
func sequence(s string) string {
	s, first := strings.CutPrefix(s, ":")
	s, _, last := strings.Cut(s, ":") // parameters may follow
	if !first || !last {
		return ""
	}
	return s
}

// verify checks that a file has a digest that someone gave, until the context is done.
func (d digest) verify(ctx context.Context, file *os.File, size int64, given string) error {
	if d == (digest{}) {
		return nil
	}
	sum := newHash(d.algorithm)
	if _, err := io.Copy(sum, until{ctx, io.NewSectionReader(file, 0, size)}); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != d.sum {
		return fmt.Errorf("the %s is %s, not %s as %s", strings.ToUpper(d.algorithm), got, d.sum, given)
	}
	return nil
}

// An until reads until its context is done.
type until struct {
	context.Context
	io.Reader
}

func (u until) Read(b []byte) (int, error) {
	if err := u.Err(); err != nil {
		return 0, err
	}
	return u.Reader.Read(b)
}

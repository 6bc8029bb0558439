package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// An entity is what a URL stands for, as the first answer has it. All later ones have
// to be about the same.
type entity struct {
	url      string // after redirections
	size     int64  // -1: not told
	tag      string // ETag
	modified string // Last-Modified
	digest   digest // of all of it
	ranges   bool
}

// errLie tells of an answer that contradicts the request or an earlier answer. What was
// downloaded is of no use then.
var errLie = errors.New("the server contradicts itself")

func lie(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errLie, fmt.Sprintf(format, args...))
}

// request asks for a span of a URL.
func request(ctx context.Context, url string, s span) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", s.at, s.end-1))
	r.Header.Set("Accept-Encoding", "identity") // ranges are of what is sent
	return r, nil
}

// learn is the entity of the answer to a request for the first octet.
func learn(r *http.Response) (e entity, err error) {
	e = entity{url: r.Request.URL.String(), size: r.ContentLength, tag: r.Header.Get("ETag"), modified: r.Header.Get("Last-Modified"), digest: promised(r.Header)}
	switch r.StatusCode {
	case http.StatusOK:
		return e, nil
	case http.StatusRequestedRangeNotSatisfiable:
		if r.Header.Get("Content-Range") == "bytes */0" { // an empty file
			e.size, e.ranges = 0, true
			return e, nil
		}
	case http.StatusPartialContent:
		got, size, err := contentRange(r.Header.Get("Content-Range"))
		if err == nil && got != (span{0, 1}) {
			err = lie("asked for octet 0, it sent %v", got)
		}
		e.size, e.ranges = size, true
		return e, err
	}
	return e, fmt.Errorf("the server says %q", r.Status)
}

// same checks that an answer to a request for a span is what was asked for, of the
// same entity. It tells which span the body has: a server may send less.
func (e entity) same(r *http.Response, want span) (got span, err error) {
	switch r.StatusCode {
	case http.StatusPartialContent:
	case http.StatusOK:
		return got, lie("asked for octets %v, it sent all: the file has changed, or ranges are not for every request", want)
	case http.StatusRequestedRangeNotSatisfiable:
		return got, lie("of %d octets it does not have %v", e.size, want)
	default:
		return got, fmt.Errorf("the server says %q", r.Status)
	}
	got, size, err := contentRange(r.Header.Get("Content-Range"))
	switch {
	case err != nil:
	case size != e.size:
		err = lie("the file had %d octets, now it has %d", e.size, size)
	case got.at != want.at || got.end > want.end:
		err = lie("asked for octets %v, it sent %v", want, got)
	case r.ContentLength >= 0 && r.ContentLength != got.end-got.at:
		err = lie("it sends %d octets for %v", r.ContentLength, got)
	case r.Header.Get("ETag") != e.tag:
		err = lie("the file was %s, now it is %s (ETag)", quoted(e.tag), quoted(r.Header.Get("ETag")))
	case r.Header.Get("Last-Modified") != e.modified:
		err = lie("the file was of %s, now it is of %s (Last-Modified)", quoted(e.modified), quoted(r.Header.Get("Last-Modified")))
	default:
		err = e.digest.contradicted(promised(r.Header))
	}
	return got, err
}

// contradicted tells whether a later answer promises other contents.
func (d digest) contradicted(now digest) error {
	if d.algorithm == now.algorithm && d.sum != now.sum {
		return lie("the file had %v, now it has %v", d, now)
	}
	return nil
}

func quoted(s string) string { return strconv.Quote(strings.Trim(s, `"`)) }

func (s span) String() string { return fmt.Sprintf("%d to %d", s.at, s.end-1) }

// contentRange reads a Content-Range (RFC 9110, section 14.4).
func contentRange(s string) (got span, size int64, err error) {
	text, ok := strings.CutPrefix(s, "bytes ")
	spanned, total, ok2 := strings.Cut(text, "/")
	first, last, ok3 := strings.Cut(spanned, "-")
	at, err1 := strconv.ParseUint(first, 10, 62)
	end, err2 := strconv.ParseUint(last, 10, 62)
	whole, err3 := strconv.ParseUint(total, 10, 62)
	if !ok || !ok2 || !ok3 || errors.Join(err1, err2, err3) != nil || at > end || end >= whole {
		return got, 0, lie("%q is no Content-Range", s)
	}
	return span{int64(at), int64(end) + 1}, int64(whole), nil
}

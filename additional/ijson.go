package additional

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// checkIJSON tells what keeps a text from being an I-JSON message (RFC 7493).
func checkIJSON(b []byte) error {
	if !utf8.Valid(b) {
		return errors.New("it is not UTF-8") // section 2.1
	}
	if !json.Valid(b) {
		return errors.New("it is not JSON")
	}
	for s := range literals(b) {
		if r, bad := forbidden(s); bad {
			return fmt.Errorf("a string has the code point %U", r)
		}
	}
	return checkMembers(b)
}

// literals yields the insides of the strings of a text that is JSON.
func literals(b []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for {
			begin := bytes.IndexByte(b, '"')
			if begin < 0 {
				return
			}
			b = b[begin+1:]
			end := 0
			for b[end] != '"' {
				if b[end] == '\\' {
					end++
				}
				end++
			}
			if !yield(b[:end]) {
				return
			}
			b = b[end+1:]
		}
	}
}

// forbidden finds a surrogate without its other half, or a noncharacter (RFC 7493
// section 2.1).
func forbidden(s []byte) (rune, bool) {
	for len(s) > 0 {
		r, n := character(s)
		if utf16.IsSurrogate(r) || r >= 0xfdd0 && r <= 0xfdef || r&0xfffe == 0xfffe {
			return r, true
		}
		s = s[n:]
	}
	return 0, false
}

// character is the first one of a string that is JSON, and how long it is.
func character(s []byte) (rune, int) {
	if s[0] != '\\' {
		return utf8.DecodeRune(s)
	}
	if s[1] != 'u' {
		return rune(s[1]), 2
	}
	r := escaped(s)
	if utf16.IsSurrogate(r) && len(s) >= 12 && s[6] == '\\' && s[7] == 'u' {
		if both := utf16.DecodeRune(r, escaped(s[6:])); both != utf8.RuneError {
			return both, 12
		}
	}
	return r, 6
}

func escaped(s []byte) rune {
	n, _ := strconv.ParseUint(string(s[2:6]), 16, 16)
	return rune(n)
}

// A frame is an object, or an array, that has begun and not ended.
type frame struct {
	seen map[string]bool // names of an object; nil: it is an array
	name bool            // the next token of an object is a name, or its end
}

// checkMembers finds an object in which a name is there twice (RFC 7493 section 2.3).
func checkMembers(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var open []frame
	for {
		t, err := d.Token()
		if err != nil {
			return nil // the end: the text is known to be JSON
		}
		if n := len(open); n > 0 {
			if twice := open[n-1].take(t); twice != "" {
				return fmt.Errorf("the name %q is there twice", twice)
			}
		}
		switch t {
		case json.Delim('{'):
			open = append(open, frame{map[string]bool{}, true})
		case json.Delim('['):
			open = append(open, frame{})
		case json.Delim('}'), json.Delim(']'):
			open = open[:len(open)-1]
		}
	}
}

// take takes a token of the object, and tells a name that it has had.
func (f *frame) take(t json.Token) (twice string) {
	s, is := t.(string)
	if f.seen == nil || !f.name || !is {
		f.name = true
		return ""
	}
	if f.seen[s] {
		return s
	}
	f.seen[s], f.name = true, false
	return ""
}

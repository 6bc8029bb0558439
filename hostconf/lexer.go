package hostconf

import "strings"

// The kinds of token that are not their own punctuation character.
const (
	word   = 'w'
	quoted = 'q'
	broken = '!' // a string without its end
)

// A token of ISC's lease files: one of { } ; or a word, or a string's content.
// Commas are spaces.
type token struct {
	kind byte
	text string
}

// A lexer splits text into tokens. No bytes are an error to it.
type lexer struct {
	text string
	at   int
}

// next returns the next token, false at the end.
func (l *lexer) next() (token, bool) {
	l.skip()
	if l.at == len(l.text) {
		return token{}, false
	}
	switch c := l.text[l.at]; c {
	case '{', '}', ';':
		l.at++
		return token{kind: c}, true
	case '"':
		return l.quoted(), true
	}
	start := l.at
	for l.at < len(l.text) && l.text[l.at] > ' ' && !strings.ContainsRune("{};,\"#", rune(l.text[l.at])) {
		l.at++
	}
	return token{kind: word, text: l.text[start:l.at]}, true
}

// skip passes over spaces and comments.
func (l *lexer) skip() {
	for l.at < len(l.text) {
		switch c := l.text[l.at]; {
		case c <= ' ' || c == ',':
			l.at++
		case c == '#':
			end := strings.IndexByte(l.text[l.at:], '\n')
			if end < 0 {
				end = len(l.text) - l.at
			}
			l.at += end
		default:
			return
		}
	}
}

// quoted reads a string. It cannot contain a line break (dhclient writes that as
// \012), so one cut short does not swallow what follows.
func (l *lexer) quoted() token {
	var b strings.Builder
	for l.at++; l.at < len(l.text); {
		c := l.text[l.at]
		if c == '\n' {
			break
		}
		l.at++
		switch {
		case c == '"':
			return token{kind: quoted, text: b.String()}
		case c == '\\':
			b.WriteByte(l.escape())
		default:
			b.WriteByte(c)
		}
	}
	return token{kind: broken}
}

// escape reads what follows a backslash: up to three octal digits, or a
// character that stands for itself.
func (l *lexer) escape() byte {
	if l.at == len(l.text) || l.text[l.at] == '\n' {
		return '\\'
	}
	c, n := byte(0), 0
	for ; n < 3 && l.at < len(l.text) && l.text[l.at] >= '0' && l.text[l.at] <= '7'; n++ {
		c = c<<3 | (l.text[l.at] - '0')
		l.at++
	}
	if n == 0 {
		c = l.text[l.at]
		l.at++
	}
	return c
}

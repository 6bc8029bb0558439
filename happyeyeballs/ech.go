package happyeyeballs

import (
	"crypto/tls"
	"errors"
	"net"
)

// ech are the keys that the hello to a candidate is to be encrypted with, if any.
func (c *candidate) ech() []byte {
	if c.service == nil {
		return nil
	}
	return c.service.ECH
}

// retry has a candidate tried again, once, if its server knows no such keys and said
// so: with the keys that it gave, or without any (RFC 9849, section 6.1.6).
func (m *member) retry(c *candidate, err error) {
	var rejected *tls.ECHRejectionError
	if c.again || len(c.ech()) == 0 || !errors.As(err, &rejected) {
		return
	}
	s := *c.service
	s.ECH = rejected.RetryConfigList
	again := *c
	again.service, again.again = &s, true
	m.retries = append(m.retries, &again)
	m.stale = true
}

// encrypts tells whether handshakes may be given keys: they need TLS 1.3, and what the
// program has set itself is left alone.
func encrypts(c *tls.Config) bool {
	return c != nil && c.EncryptedClientHelloConfigList == nil && (c.MaxVersion == 0 || c.MaxVersion >= tls.VersionTLS13)
}

// encrypting is a configuration that uses keys.
func encrypting(c *tls.Config, keys []byte) *tls.Config {
	if len(keys) == 0 {
		return c
	}
	c = c.Clone()
	c.EncryptedClientHelloConfigList = keys
	c.MinVersion = max(c.MinVersion, tls.VersionTLS13)
	return c
}

// understood tells whether there is a key that can be used. Records may have keys of
// kinds that are not known here, with which a handshake would fail before it began:
// so one is begun, and goes nowhere.
func understood(c *tls.Config, keys []byte) bool {
	err := tls.Client(nowhere{}, encrypting(c, keys)).Handshake()
	return errors.Is(err, errNowhere)
}

var errNowhere = errors.New("nowhere")

// nowhere is where nothing can be written to.
type nowhere struct{ net.Conn }

func (nowhere) Write([]byte) (int, error) { return 0, errNowhere }
func (nowhere) Close() error              { return nil }

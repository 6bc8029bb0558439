package resolver

import (
	"context"
	"crypto/tls"
	"net"
)

// handshake makes a TLS connection of a TCP one (RFC 7858 §3). The server has
// to prove the name (RFC 8310 §8.1).
func (r *Resolver) handshake(ctx context.Context, conn net.Conn, name string) (net.Conn, error) {
	c := tls.Client(conn, &tls.Config{
		RootCAs:    r.Roots,
		ServerName: name,
		NextProtos: []string{"dot"},
		MinVersion: tls.VersionTLS12,
	})
	if err := c.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return c, nil
}

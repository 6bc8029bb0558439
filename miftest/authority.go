package miftest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"
)

// An Authority is a certificate authority for servers behind routers. It needs no Net,
// and works everywhere.
type Authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// NewAuthority returns one that nobody believes yet.
func NewAuthority() (*Authority, error) {
	a := &Authority{certificate: &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "miftest"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign,
	}}
	c, err := a.sign(a.certificate)
	if err != nil {
		return nil, err
	}
	a.certificate, err = x509.ParseCertificate(c.Certificate[0])
	a.key = c.PrivateKey.(*ecdsa.PrivateKey)
	return a, err
}

// Roots returns what a client has to believe in.
func (a *Authority) Roots() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.certificate)
	return p
}

// PEM returns the same as Roots as a file has it, for SSL_CERT_FILE and the like.
func (a *Authority) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})
}

// Certify returns a certificate for a server of some DNS names, good for a day, and its
// key.
func (a *Authority) Certify(names ...string) (tls.Certificate, error) {
	return a.sign(&x509.Certificate{SerialNumber: big.NewInt(2), DNSNames: names})
}

// sign signs with the key of the authority or, for want of one, with that which it makes.
func (a *Authority) sign(c *x509.Certificate) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("miftest: certificate: %w", err)
	}
	signer := a.key
	if signer == nil {
		signer = key
	}
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, c, a.certificate, &key.PublicKey, signer)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("miftest: certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

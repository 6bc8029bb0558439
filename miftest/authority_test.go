package miftest

import (
	"crypto/x509"
	"testing"
)

func TestAuthority(t *testing.T) {
	one, err := NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	two, err := NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	c, err := one.Certify("a.example", "*.b.example")
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"a.example": true, "x.b.example": true, "c.example": false} {
		if _, err := leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: one.Roots()}); (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	read := x509.NewCertPool()
	if !read.AppendCertsFromPEM(one.PEM()) || !read.Equal(one.Roots()) {
		t.Error("what a file has is something else")
	}
	if _, err := leaf.Verify(x509.VerifyOptions{DNSName: "a.example", Roots: two.Roots()}); err == nil {
		t.Error("another authority vouches for it")
	}
}

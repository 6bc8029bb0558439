package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/examples/internal/show"
)

// service tells what a record says, by the names of RFC 9460.
func service(t mif.ServiceTranslation) string {
	words := []string{fmt.Sprint(t.Priority), t.Target}
	add := func(key string, has bool, value any) {
		if has {
			words = append(words, fmt.Sprintf("%s=%v", key, value))
		}
	}
	add("port", t.Port != 0, t.Port)
	add("alpn", len(t.ALPN) > 0, strings.Join(t.ALPN, ","))
	if t.NoDefaultALPN {
		words = append(words, "no-default-alpn")
	}
	for _, a := range t.IPv4Hints {
		add("ipv4hint", true, a)
	}
	for _, a := range t.IPv6Hints {
		add("ipv6hint", true, a)
	}
	add("ech", len(t.ECH) > 0, fmt.Sprintf("%d octets", len(t.ECH)))
	return fmt.Sprintf("%s  %v, for %s", strings.Join(words, " "), t.Server, show.Left(t.Expiry, time.Now()))
}

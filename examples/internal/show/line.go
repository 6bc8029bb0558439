package show

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/go-mif/mif/connect"
	"github.com/go-mif/mif/resolver"
)

// A line is one message. The order of its fields is the order in print.
type line struct {
	Seq       uint64          `json:"seq"`
	Time      time.Time       `json:"time"`
	Message   string          `json:"message"`
	Request   string          `json:"request,omitempty"`
	ID        uint64          `json:"id,omitempty"`
	Interface int             `json:"interface,omitempty"`
	Name      string          `json:"name,omitempty"`
	PvD       string          `json:"pvd,omitempty"`
	FQDN      string          `json:"fqdn,omitempty"`
	Family    string          `json:"family,omitempty"`
	Element   string          `json:"element,omitempty"`
	Address   string          `json:"address,omitempty"`
	Preferred json.RawMessage `json:"preferred,omitempty"`
	Valid     json.RawMessage `json:"valid,omitempty"`
	Kind      string          `json:"kind,omitempty"`
	Flags     []string        `json:"flags,omitempty"`
	MTU       int             `json:"mtu,omitempty"`
	Hardware  string          `json:"hardware,omitempty"`
	Up        *bool           `json:"up,omitempty"`
	Carrier   *bool           `json:"carrier,omitempty"`
	Item      string          `json:"item,omitempty"`
	Data      []datum         `json:"data,omitempty"`
	From      string          `json:"from,omitempty"`
	To        string          `json:"to,omitempty"`
	Local     string          `json:"local,omitempty"`
	Remote    string          `json:"remote,omitempty"`
	Took      float64         `json:"took,omitempty"`
	Canonical string          `json:"canonical,omitempty"`
	Server    string          `json:"server,omitempty"`
	Origin    string          `json:"origin,omitempty"`
	Expires   json.RawMessage `json:"expires,omitempty"`
	Scheme    string          `json:"scheme,omitempty"`
	Port      uint16          `json:"port,omitempty"`
	Service   *service        `json:"service,omitempty"`
	Err       string          `json:"err,omitempty"`

	// Of dial -explain, which is no message.
	NextHop  string   `json:"nexthop,omitempty"`
	Rule     int      `json:"rule,omitempty"`
	Warnings []string `json:"warnings,omitempty"`

	// Of what was read from a connection, which is no message either.
	Reply string `json:"reply,omitempty"`
}

const forever = "forever"

// left is the time until an instant in whole seconds, or "forever" for the zero
// instant.
func left(until, now time.Time) json.RawMessage {
	if until.IsZero() {
		return json.RawMessage(strconv.Quote(forever))
	}
	return strconv.AppendInt(nil, seconds(until, now), 10)
}

func seconds(until, now time.Time) int64 {
	return int64(math.Round(max(0, until.Sub(now).Seconds())))
}

// Left is the time until an instant for people: 59m30s, or forever for the zero
// instant.
func Left(until, now time.Time) string {
	if until.IsZero() {
		return forever
	}
	return (time.Duration(seconds(until, now)) * time.Second).String()
}

// Milliseconds is a short time for people: 0.4 ms.
func Milliseconds(d time.Duration) string { return fmt.Sprintf("%.1f ms", d.Seconds()*1000) }

// Reason is what went wrong in a translation or connection, without what the reader
// knows anyway: the name, the domain and the addresses.
func Reason(err error) string {
	var c *connect.Error
	var r *resolver.Error
	switch {
	case errors.As(err, &c):
		return c.Err.Error()
	case errors.As(err, &r) && r.Server.IsValid():
		return fmt.Sprintf("%v: %v", r.Server, r.Err)
	case errors.As(err, &r):
		return r.Err.Error()
	}
	return err.Error()
}

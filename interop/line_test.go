package interop

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// A line is one message as watch -json writes it. Fields that are not here may be there:
// the contract lets them be added.
type line struct {
	Seq       uint64
	Time      time.Time
	Message   string
	Request   string
	Interface int
	Name      string
	PvD       string
	Family    string
	Element   string
	Address   string
	Preferred *lifetime
	Valid     *lifetime
	Kind      string
	Flags     []string
	MTU       int
	Hardware  string
	Up        *bool
	Carrier   *bool
	Item      string
	Data      []datum
	Err       string
}

type datum struct {
	Value   json.RawMessage
	Element string
	Source  string
	Expires *lifetime
}

// A lifetime is what is left of something.
type lifetime struct {
	forever bool
	left    time.Duration
}

func (l *lifetime) UnmarshalJSON(b []byte) error {
	if string(b) == `"forever"` {
		*l = lifetime{forever: true}
		return nil
	}
	var seconds int64
	if err := json.Unmarshal(b, &seconds); err != nil || seconds < 0 {
		return fmt.Errorf("%s is no lifetime", b)
	}
	*l = lifetime{left: time.Duration(seconds) * time.Second}
	return nil
}

// end is when a lifetime ends that a message of that time tells.
func (l lifetime) end(told time.Time) time.Time {
	if l.forever {
		return time.Time{}
	}
	return told.Add(l.left)
}

func parseLine(b []byte) (line, error) {
	var l line
	if err := json.Unmarshal(b, &l); err != nil {
		return l, fmt.Errorf("%q: %w", b, err)
	}
	return l, nil
}

// says is a datum's value and who said so. An object is as it was written, but for
// lifetimes in it: those run.
func (d datum) says() string {
	var text string
	var object map[string]json.RawMessage
	if json.Unmarshal(d.Value, &text) != nil {
		text = string(d.Value)
	}
	if json.Unmarshal(d.Value, &object) == nil && object["preferred"] != nil {
		if string(object["preferred"]) != "0" {
			object["preferred"] = json.RawMessage("true")
		}
		b, _ := json.Marshal(object)
		text = string(b)
	}
	return text + " by " + d.Source
}

func (l line) deprecated() bool { return slices.Contains(l.Flags, "deprecated") }

// usable tells whether an address can make a domain usable (rule 9).
func (l line) usable() bool {
	for _, f := range []string{"tentative", "duplicate", "link-local"} {
		if slices.Contains(l.Flags, f) {
			return false
		}
	}
	return true
}

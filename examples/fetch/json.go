package main

import (
	"encoding/json"
	"time"

	"github.com/go-mif/mif"
)

// lines shows a download as JSON, one object a line.
type lines struct {
	out   *json.Encoder
	seq   int
	rates rates
}

// A line is what one of them says; there is what applies.
type line struct {
	Seq     int       `json:"seq"`
	Time    time.Time `json:"time"`
	Message string    `json:"message"`
	URL     string    `json:"url,omitempty"`
	Ranges  *bool     `json:"ranges,omitempty"`
	PvD     string    `json:"pvd,omitempty"`
	Octets  *int64    `json:"octets,omitempty"`
	Size    *int64    `json:"size,omitempty"`
	Rate    *float64  `json:"rate,omitempty"`
	File    string    `json:"file,omitempty"`
	SHA256  string    `json:"sha256,omitempty"`
	Digest  string    `json:"digest,omitempty"`
	Err     string    `json:"err,omitempty"`
}

// say writes a line. A reader that is gone does not end the download.
func (v *lines) say(l line) {
	v.seq++
	l.Seq, l.Time = v.seq, time.Now()
	v.out.Encode(l)
}

func (v *lines) every() time.Duration { return time.Second }

func (v *lines) began(e entity) {
	v.rates.at = time.Now()
	l := line{Message: "Began", URL: shown(e.url), Ranges: &e.ranges}
	if e.size >= 0 {
		l.Size = &e.size
	}
	v.say(l)
}

func (v *lines) joined(id mif.PvDID) { v.say(line{Message: "Joined", PvD: id.String()}) }

func (v *lines) left(id mif.PvDID, octets int64, err error) {
	l := line{Message: "Left", PvD: id.String(), Octets: &octets}
	if err != nil {
		l.Err = err.Error()
	}
	v.say(l)
}

func (v *lines) progress(_, _ int64, by map[mif.PvDID]int64) {
	order, rate := v.rates.since(time.Now(), by)
	for _, id := range order {
		octets, r := by[id], rate[id]
		v.say(line{Message: "Progress", PvD: id.String(), Octets: &octets, Rate: &r})
	}
}

func (v *lines) done(o *order) {
	l := line{Message: "Done", File: o.path, Size: &o.entity.size, SHA256: o.digest.sum}
	if d := o.entity.digest; d != (digest{}) {
		l.Digest = d.String()
	}
	v.say(l)
}

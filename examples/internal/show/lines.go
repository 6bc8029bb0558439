package show

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/connect"
)

// Lines writes messages, one a line, each by one Write. It keeps in mind the names
// of interfaces, and what translations and connections are about, so that it can say
// so on every line that concerns them.
type Lines struct {
	w            io.Writer
	seq          uint64
	names        map[mif.InterfaceID]string
	families     map[mif.PvDID]mif.ProvisioningDomainAnnouncement
	translations map[mif.TranslationID]translation
	connections  map[mif.ConnectionID]attempt
}

// A translation is one that was asked for.
type translation struct {
	pvd  mif.PvDID
	name string
}

// An attempt is a connection that was asked for.
type attempt struct {
	pvd  mif.PvDID
	line line
	at   time.Time
}

// NewLines returns a Lines that writes to w.
func NewLines(w io.Writer) *Lines {
	return &Lines{
		w:            w,
		names:        map[mif.InterfaceID]string{},
		families:     map[mif.PvDID]mif.ProvisioningDomainAnnouncement{},
		translations: map[mif.TranslationID]translation{},
		connections:  map[mif.ConnectionID]attempt{},
	}
}

// Request writes a request. The error is the writer's.
func (l *Lines) Request(r mif.Request) error {
	now := time.Now()
	l.Posted(r, now)
	out := line{Time: now, Message: name(r)}
	l.request(&out, r)
	return l.write(out)
}

// Posted keeps a request in mind and writes nothing.
func (l *Lines) Posted(r mif.Request, now time.Time) {
	switch r := r.(type) {
	case mif.TranslateName:
		l.translations[r.ID] = translation{r.PvD, r.Name}
	case mif.TranslateService:
		l.translations[r.ID] = translation{r.PvD, r.Name}
	case mif.ConnectToAddress:
		l.connections[r.ID] = attempt{r.PvD, line{To: r.To.String()}, now}
	case mif.ConnectToAddressFromAddress:
		l.connections[r.ID] = attempt{r.PvD, line{To: r.To.String(), From: r.From.String()}, now}
	}
}

// Event writes an event. The error is the writer's.
func (l *Lines) Event(e mif.Event) error {
	out := line{Time: time.Now(), Message: name(e)}
	l.event(&out, e)
	return l.write(out)
}

// Explanation writes what a domain's Dialer.Explain says.
func (l *Lines) Explanation(id mif.PvDID, e connect.Explanation) error {
	out := line{Time: time.Now(), Message: "Explanation", To: e.To.String(), From: text(e.Source), NextHop: text(e.NextHop), Rule: e.Rule, Warnings: e.Warnings}
	l.of(&out, id)
	out.fail(e.Refusal)
	return l.write(out)
}

// Reply writes what was read from a connection, and the error that ended the reading.
func (l *Lines) Reply(id mif.ConnectionID, reply string, err error) error {
	out := line{Time: time.Now(), Message: "Reply", Reply: reply}
	l.connection(&out, id)
	out.fail(err)
	return l.write(out)
}

func (l *Lines) write(out line) error {
	l.seq++
	out.Seq = l.seq
	b, err := json.Marshal(out)
	if err != nil {
		return err
	}
	_, err = l.w.Write(append(b, '\n'))
	return err
}

// name is the name of a message's type.
func name(message any) string {
	s := fmt.Sprintf("%T", message)
	return s[strings.LastIndexByte(s, '.')+1:]
}

func (l *line) fail(err error) {
	if err != nil {
		l.Err = err.Error()
	}
}

// Package program is what the examples' commands have in common: their flags, what
// they say of themselves, how they end, and how they find the domain that is meant.
//
// A program ends with status 0 if it did what it is for, 1 if it could not, and 2 if
// it was not called rightly.
package program

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/go-mif/mif"
)

// The exit statuses.
const (
	Done   = 0
	Failed = 1
	Misuse = 2
)

// A Program is one run of a command. Its flags are those of every example, and those
// added to its FlagSet before Parse.
type Program struct {
	*flag.FlagSet
	Config mif.Config // as -netns, -root and -merge say
	JSON   bool       // -json
	Out    io.Writer  // unbuffered: a line is there once it is written
	Err    io.Writer
	usage  string
}

// New returns a program that writes to the standard output. The usage is what it
// says of itself: a first line with the form of a call, then what it shows.
func New(name, usage string) *Program {
	p := &Program{FlagSet: flag.NewFlagSet(name, flag.ContinueOnError), Out: os.Stdout, Err: os.Stderr, usage: usage}
	p.SetOutput(io.Discard)
	p.BoolVar(&p.JSON, "json", false, "print messages as JSON, one object a line")
	p.StringVar(&p.Config.NetNS, "netns", "", "the network namespace to watch, by `path`, instead of this one")
	p.StringVar(&p.Config.Root, "root", "", "`directory` that stands for / when files of DHCP clients are looked for")
	p.BoolVar(&p.Config.MergeFamilies, "merge", false, "one domain of both families where two are implicit (RFC 7556 section 2.5)")
	return p
}

// Parse reads the arguments, of which so many are operands. If it is not ok the program
// is over, with that status.
func (p *Program) Parse(args []string, operands int) (status int, ok bool) {
	return p.parse(args, operands, operands)
}

// ParseCommand reads arguments of which the operands are a command with arguments of
// its own. If it is not ok the program is over, with that status.
func (p *Program) ParseCommand(args []string) (status int, ok bool) {
	return p.parse(args, 1, math.MaxInt)
}

func (p *Program) parse(args []string, least, most int) (status int, ok bool) {
	switch err := p.FlagSet.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(p.Out, p.help())
		return Done, false
	case err != nil:
		return p.Misuse("%v", err), false
	case p.NArg() < least:
		return p.Misuse("%s is missing", p.missing()), false
	case p.NArg() > most:
		return p.Misuse("%q is one argument too many (flags come first)", p.Arg(most)), false
	}
	return Done, true
}

// missing is the last word of the form of a call.
func (p *Program) missing() string {
	form, _, _ := strings.Cut(p.usage, "\n")
	words := strings.Fields(form)
	return words[len(words)-1]
}

func (p *Program) help() string {
	var b strings.Builder
	fmt.Fprintf(&b, "usage: %s\n\nFlags:\n", strings.TrimSpace(p.usage))
	p.SetOutput(&b)
	p.PrintDefaults()
	p.SetOutput(io.Discard)
	return b.String()
}

// Misuse says how the program was called wrongly, and returns the status for it.
func (p *Program) Misuse(format string, args ...any) int {
	fmt.Fprintf(p.Err, "%s: %s\n", p.Name(), fmt.Sprintf(format, args...))
	fmt.Fprintf(p.Err, "%s -h tells how it is used\n", p.Name())
	return Misuse
}

// Interruptible returns a context that is done when the program is interrupted, told to
// end (SIGTERM), or its terminal goes (SIGHUP), unless nohup has it outlive that.
func Interruptible() (context.Context, context.CancelFunc) {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signal.NotifyContext(context.Background(), signals...)
}

// Fail says why the program could not do what it is for, and returns the status for it.
// An end of its Interruptible context is told as that.
func (p *Program) Fail(err error) int {
	if errors.Is(err, context.Canceled) {
		err = errors.New("interrupted")
	}
	fmt.Fprintf(p.Err, "%s: %v\n", p.Name(), err)
	return Failed
}

// LineEnds returns a text to send, in which \r and \n, as they are written on a command
// line, have become what they stand for.
func LineEnds(text string) string {
	return strings.NewReplacer(`\r`, "\r", `\n`, "\n").Replace(text)
}

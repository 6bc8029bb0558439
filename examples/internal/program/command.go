package program

import (
	"errors"
	"flag"
	"fmt"
)

// ParseCommand reads arguments of which the operands are a command with arguments of
// its own. If it is not ok the program is over, with that status.
func (p *Program) ParseCommand(args []string) (status int, ok bool) {
	switch err := p.FlagSet.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(p.Out, p.help())
		return Done, false
	case err != nil:
		return p.Misuse("%v", err), false
	case p.NArg() == 0:
		return p.Misuse("%s is missing", p.missing()), false
	}
	return Done, true
}

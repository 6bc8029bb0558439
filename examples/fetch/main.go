// Fetch downloads a file over every provisioning domain at once.
//
//	go run ./examples/fetch https://www.example.com/big.iso
//	go run ./examples/fetch -o file -sha256 HASH https://www.example.com/big.iso
package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"path"
	"path/filepath"
	"syscall"
	"time"

	"github.com/go-mif/mif"
	"github.com/go-mif/mif/examples/internal/program"
)

const usage = `fetch [flags] URL

Fetch downloads a file over every provisioning domain at once: each translates the
server's name and connects by itself (draft-ietf-mif-api-extension-00, sections 3.5.16
to 3.5.22), and gets other octets of the file by HTTP ranges (RFC 9110, section 14). A
domain that is done takes over a share of what the slowest has before it. When one goes,
the others get what it owes; when one comes, it joins.

    fetch https://www.example.com/big.iso
    fetch -pvd eth0 https://www.example.com/big.iso     the domains of one interface
    fetch -o big.iso -sha256 HASH https://www.example.com/dir/

What the file is, the first domain by Happy Eyeballs tells, or the next one if that has
no answer. A domain that then tells of another file, as a captive portal may, is left
out. A server without ranges is asked in one domain; such a download cannot survive the
end of that domain.

Until it is complete the file has the name FILE.part, which goes if the download fails.
Then it replaces a FILE that is there already.
The length is checked, and that all answers agree on length, ETag and Last-Modified; so
is the hash, if it is given by -sha256 or by the server (Repr-Digest or Digest with
sha-256 or sha-512; RFC 9530). Without any of these a file that changes meanwhile
goes unnoticed if it keeps its length.

On a terminal it draws a bar for the file and for the share of each domain; elsewhere
it prints a line a second.

With -json each message is an object on a line of its own: Began (url, size, ranges),
Joined (pvd), each second for each domain Progress (pvd, octets, rate in octets per
second), Left (pvd, octets, err), and Done (file, size, and what was checked: sha256 as
given, digest as the server said).

The status is 1 if the file is not there in the end.
`

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	signal.Ignore(syscall.SIGPIPE) // a reader of the output that goes does not end the download
	p := program.New("fetch", usage)
	o, status, ok := orders(p, args)
	if !ok {
		return status
	}
	ctx, stop := program.Interruptible()
	defer stop()
	var err error
	if o.host, err = mif.Open(&p.Config); err != nil {
		return p.Fail(err)
	}
	defer o.host.Close()
	o.view = newView(p)
	if err := fetch(ctx, o); err != nil {
		return p.Fail(errors.Join(ctx.Err(), err))
	}
	o.view.done(o)
	return program.Done
}

// orders reads the arguments. If it is not ok the program is over, with that status.
func orders(p *program.Program, args []string) (o *order, status int, ok bool) {
	o = &order{}
	p.StringVar(&o.word, "pvd", "", program.PvDUsage)
	p.StringVar(&o.path, "o", "", "write to `file`; if empty, its name is the URL's last part")
	wanted := p.String("sha256", "", "fail if the file does not have this SHA-256 `hash`, in hexadecimal")
	p.DurationVar(&o.wait, "wait", 30*time.Second, "the longest `time` to wait while there is no domain")
	p.DurationVar(&o.stall, "stall", 10*time.Second, "the longest `time` without an octet in a domain")
	if status, ok := p.Parse(args, 1); !ok {
		return o, status, false
	}
	o.url = p.Arg(0)
	u, err := url.Parse(o.url)
	hash, err2 := hex.DecodeString(*wanted)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return o, p.Misuse("%q is no http or https URL", o.url), false
	case err2 != nil || len(hash) != 0 && len(hash) != 32:
		return o, p.Misuse("-sha256 %q is not 64 hexadecimal digits", *wanted), false
	case o.wait <= 0 || o.stall <= 0:
		return o, p.Misuse("-wait %v -stall %v: that is no time", o.wait, o.stall), false
	}
	if *wanted != "" {
		o.digest = digest{"sha-256", hex.EncodeToString(hash)}
	}
	if o.path == "" {
		o.path, err = fileName(u)
	}
	if err != nil {
		return o, p.Misuse("%v", err), false
	}
	return o, program.Done, true
}

// fileName is the last part of a URL's path.
func fileName(u *url.URL) (string, error) {
	name := path.Base(u.Path)
	if name == "." || name == "/" || name == ".." || u.Path[len(u.Path)-1] == '/' || !filepath.IsLocal(name) {
		return "", fmt.Errorf("%s names no file: -o has to", u)
	}
	return name, nil
}

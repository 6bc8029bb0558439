package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/go-mif/mif/examples/internal/exampletest"
	"github.com/go-mif/mif/miftest"
)

func TestMain(m *testing.M) { exampletest.Main(m, main) }

func TestManners(t *testing.T) {
	t.Parallel()
	exampletest.Manners(t, "fetch", map[string][]string{
		"not defined: -x":           {"-x", "http://a.example/b"},
		"URL is missing":            nil,
		"is no http or https URL":   {"ftp://a.example/b"},
		"not 64 hexadecimal digits": {"-sha256", "abc", "http://a.example/b"},
		"names no file":             {"http://a.example/"},
		"that is no time":           {"-stall", "0s", "http://a.example/b"},
	})
}

// A job is a download into a directory of its own.
type job struct {
	t    *testing.T
	dir  string
	cmd  *miftest.Cmd
	out  bytes.Buffer
	errs bytes.Buffer
}

const fileURL = "http://" + exampletest.Name + "/file"

func start(t *testing.T, h *miftest.Host, args ...string) *job {
	t.Helper()
	j := &job{t: t, dir: t.TempDir()}
	j.cmd = exampletest.In(h, append(append([]string{"-json", "-o", j.path()}, args...), fileURL)...)
	j.cmd.Stdout, j.cmd.Stderr = &j.out, &j.errs
	must(t, j.cmd.Start())
	t.Cleanup(func() { j.cmd.Process.Kill() })
	return j
}

func (j *job) path() string { return filepath.Join(j.dir, "file") }

// end waits for the download. If it is to fail, the error says why, and nothing is left.
func (j *job) end(fails string) {
	j.t.Helper()
	err := j.cmd.Wait()
	if fails == "" {
		if err != nil {
			j.t.Fatalf("%v: %s", err, j.errs.String())
		}
		return
	}
	if j.cmd.ProcessState.ExitCode() != 1 || !strings.Contains(j.errs.String(), fails) {
		j.t.Errorf("%v %q, want %q", err, j.errs.String(), fails)
	}
	if left, err := os.ReadDir(j.dir); err != nil || len(left) > 0 {
		j.t.Errorf("%v is left, %v", left, err)
	}
}

// whole checks the file, and that no octet of it was written twice.
func (j *job) whole(want []byte) {
	j.t.Helper()
	got, err := os.ReadFile(j.path())
	if err != nil || !bytes.Equal(got, want) {
		j.t.Errorf("%d octets of %d, or others than those, are there: %v", len(got), len(want), err)
	}
	var all int64
	for _, l := range j.lines("Left") {
		all += *l.Octets
	}
	if all != int64(len(want)) {
		j.t.Errorf("the domains got %d octets, the file has %d", all, len(want))
	}
	if left, err := os.ReadDir(j.dir); err != nil || len(left) != 1 {
		j.t.Errorf("%v is left, %v", left, err)
	}
}

// lines are those of -json of one kind.
func (j *job) lines(message string) (found []line) {
	j.t.Helper()
	for d := json.NewDecoder(bytes.NewReader(j.out.Bytes())); d.More(); {
		var l line
		d.DisallowUnknownFields()
		must(j.t, d.Decode(&l))
		if l.Message == message {
			found = append(found, l)
		}
	}
	return found
}

// Two uplinks share the work: both have begun before either can end.
func TestShared(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	all := exampletest.Uplinks(t, n, 2)
	body, gate := content(4<<20), make(chan struct{})
	a := serve(t, all[0], &server{body: body, gate: gate, first: 256 << 10})
	b := serve(t, all[1], &server{body: body, gate: gate, first: 256 << 10})
	j := start(t, n.Host(), "-sha256", sum(body))
	a.await()
	b.await()
	close(gate)
	j.end("")
	j.whole(body)
	if a.asked(all[0]) == 0 || b.asked(all[1]) == 0 {
		t.Error("one of the uplinks was not used")
	}
	if l := j.lines("Done"); len(l) != 1 || *l[0].Size != int64(len(body)) || l[0].File != j.path() || l[0].SHA256 != sum(body) {
		t.Errorf("%+v", l)
	}
}

// A cable is pulled while both uplinks are in the middle of it.
func TestCablePulled(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	all := exampletest.Uplinks(t, n, 2)
	body, never, gate := content(4<<20), make(chan struct{}), make(chan struct{})
	a := serve(t, all[0], &server{body: body, gate: never, first: 500_001})
	b := serve(t, all[1], &server{body: body, gate: gate, first: 300_001})
	j := start(t, n.Host())
	a.await()
	b.await()
	must(t, all[0].CablePull())
	close(gate)
	j.end("")
	j.whole(body)
	for _, l := range j.lines("Left") {
		if gone := l.Err != ""; gone != (l.PvD == all[0].PvD) {
			t.Errorf("%+v", l)
		}
	}
}

// With no domain left the download waits, and goes on in one that appears.
func TestDomainAppears(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	first := exampletest.AddUplink(t, n, 0)
	body := content(2 << 20)
	a := serve(t, first, &server{body: body, gate: make(chan struct{}), first: 300_001})
	j := start(t, n.Host())
	a.await()
	must(t, first.CablePull())
	second := exampletest.AddUplink(t, n, 1)
	b := serve(t, second, &server{body: body})
	j.end("")
	j.whole(body)
	if b.asked(second) == 0 {
		t.Error("the domain that appeared was not used")
	}
}

// A domain joins while another one is at work.
func TestDomainJoins(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	first := exampletest.AddUplink(t, n, 0)
	body, gate := content(2<<20), make(chan struct{})
	a := serve(t, first, &server{body: body, gate: gate, first: 300_001})
	j := start(t, n.Host())
	a.await()
	second := exampletest.AddUplink(t, n, 1)
	b := serve(t, second, &server{body: body, gate: gate, first: 1})
	b.await()
	close(gate)
	j.end("")
	j.whole(body)
}

// A domain that connects and then has no answer to the first request is not the end of
// it: another one is asked.
func TestFirstInVain(t *testing.T) {
	t.Parallel()
	for what, vain := range map[string]func(u *exampletest.Uplink, w http.ResponseWriter, r *http.Request){
		"mute": func(_ *exampletest.Uplink, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"refused": func(_ *exampletest.Uplink, w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
		},
		"a cable": func(u *exampletest.Uplink, _ http.ResponseWriter, r *http.Request) {
			u.CablePull() // it may be so already
			<-r.Context().Done()
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			n := miftest.New(t)
			all := exampletest.Uplinks(t, n, 2)
			body := content(1 << 20)
			var once sync.Once
			serve(t, all[0], &server{handle: func(w http.ResponseWriter, r *http.Request) {
				once.Do(func() { serve(t, all[1], &server{body: body}) }) // so the other one cannot be first
				vain(all[0], w, r)
			}})
			j := start(t, n.Host(), "-stall", "1s")
			j.end("")
			j.whole(body)
		})
	}
}

// Who reads what is printed may go: the file comes all the same.
func TestReaderGone(t *testing.T) {
	t.Parallel()
	n := miftest.New(t)
	u := exampletest.AddUplink(t, n, 0)
	body := content(1 << 20)
	serve(t, u, &server{body: body})
	r, w, err := os.Pipe()
	must(t, err)
	must(t, r.Close())
	defer w.Close()
	file := filepath.Join(t.TempDir(), "file")
	c := exampletest.In(n.Host(), "-o", file, fileURL)
	c.Stdout, c.Stderr = w, w
	must(t, c.Run())
	if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, body) {
		t.Errorf("%d octets %v", len(got), err)
	}
}

// Interrupted, it leaves nothing.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		n := miftest.New(t)
		u := exampletest.AddUplink(t, n, 0)
		a := serve(t, u, &server{body: content(1 << 20), gate: make(chan struct{}), first: 300_001})
		j := start(t, n.Host())
		a.await()
		must(t, j.cmd.Process.Signal(s))
		j.end("fetch: interrupted\n")
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

package mif

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/go-mif/mif"

// allowed is what each package may import beside the standard library: packages of
// this module by their last name, modules of others by their path.
var allowed = map[string][]string{
	"":                  {"netlink", "hostconf", "dhcp", "pvd", "resolver", "connect", "additional"},
	"/pvd":              {},
	"/additional":       {"pvd"},
	"/netlink":          {"pvd", "internal/netns", "internal/value", "internal/dnr", "github.com/vishvananda/netlink", "github.com/mdlayher/ndp", "golang.org/x/net", "golang.org/x/sys/unix"},
	"/hostconf":         {"pvd", "internal/value", "internal/dnr", "golang.org/x/sys/unix", "github.com/godbus/dbus"},
	"/dhcp":             {"pvd", "internal/value", "internal/netns", "internal/dnr", "golang.org/x/sys/unix", "github.com/insomniacslk/dhcp"},
	"/internal/value":   {"pvd"},
	"/internal/dnr":     {"pvd", "internal/value"},
	"/internal/netns":   {"golang.org/x/sys/unix"},
	"/resolver":         {"internal/rfc6724", "github.com/miekg/dns", "golang.org/x/net/idna", "golang.org/x/sys/unix"},
	"/connect":          {"internal/rfc6724", "golang.org/x/sys/unix"},
	"/internal/rfc6724": {},
	"/miftest":          nil, // whatever it likes, but nothing of ours; only tests and examples import it
}

// shown is what examples may import beside the standard library and this module: what
// makes a table on a terminal.
var shown = []string{"github.com/gdamore/tcell/v2", "github.com/rivo/uniseg", "golang.org/x/term", "golang.org/x/sys/unix"}

// messages are the packages of the messages and of the values in them, which is all
// that a high-level API needs, besides the order of addresses.
var messages = []string{"", "/pvd", "/resolver", "/internal/rfc6724"}

// A listed package, as go list tells of it.
type listed struct {
	ImportPath string
	Imports    []string
	Export     string // the file
}

func list(t *testing.T, goos string) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "./...")
	cmd.Env = append(cmd.Environ(), "GOOS="+goos)
	return run(t, cmd)
}

func run(t *testing.T, list *exec.Cmd) (all []listed) {
	t.Helper()
	var problem strings.Builder
	list.Env, list.Stderr = append(list.Environ(), "GOPROXY=off"), &problem
	out, err := list.Output()
	if errors.Is(err, exec.ErrNotFound) || strings.Contains(problem.String(), "GOPROXY=off") {
		t.Skipf("needs the go command, and the modules that go test fetched: %v\n%s", err, problem.String())
	}
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, problem.String())
	}
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var p listed
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

// Imports point one way, and only to those third parties that a package has a use for.
func TestImports(t *testing.T) {
	seen := map[string]bool{}
	for _, goos := range []string{"linux", "darwin"} {
		for _, p := range list(t, goos) {
			name := strings.TrimPrefix(p.ImportPath, module)
			seen[name] = true
			for _, i := range p.Imports {
				if problem := forbidden(name, i); problem != "" {
					t.Errorf("%s on %s imports %s: %s", p.ImportPath, goos, i, problem)
				}
			}
		}
	}
	for name := range allowed {
		if !seen[name] {
			t.Errorf("there is no package %s%s", module, name)
		}
	}
}

// forbidden tells why a package must not import another; empty if it may.
func forbidden(name, imported string) string {
	ours := imported == module || strings.HasPrefix(imported, module+"/")
	example := strings.HasPrefix(name, "/examples/")
	may, known := allowed[name]
	switch {
	case !strings.Contains(strings.Split(imported, "/")[0], "."): // of the standard library
		return ""
	case example && (ours || slices.Contains(shown, imported)), name == "/happyeyeballs" && slices.Contains(messages, strings.TrimPrefix(imported, module)):
		return ""
	case imported == module+"/miftest":
		return "only examples and tests use it"
	case name == "/miftest" && ours:
		return "miftest stands alone"
	case name == "/miftest":
		return ""
	case !known:
		return "the package has no place in the house"
	}
	if !slices.ContainsFunc(may, func(m string) bool {
		path := m
		if !strings.Contains(m, ".") {
			path = module + "/" + m
		}
		return imported == path || strings.HasPrefix(imported, path+"/")
	}) {
		return "the arrow does not point there"
	}
	return ""
}

// No type of a third party is in what the packages export.
func TestExportedTypes(t *testing.T) {
	exports := exported(t)
	imports := importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(exports[path])
	})
	for name := range allowed {
		pkg, err := imports.Import(module + name)
		if err != nil {
			t.Fatal(err)
		}
		w := walker{t: t, seen: map[types.Type]bool{}}
		for _, name := range pkg.Scope().Names() {
			if o := pkg.Scope().Lookup(name); o.Exported() {
				w.walk(pkg.Name()+"."+o.Name(), o.Type())
			}
		}
		if len(w.seen) == 0 {
			t.Errorf("%s exports nothing", pkg.Path())
		}
	}
}

// exported is where the compiler left what each package exports.
func exported(t *testing.T) map[string]string {
	t.Helper()
	cmd := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Export")
	for name := range allowed {
		cmd.Args = append(cmd.Args, module+name)
	}
	files := map[string]string{}
	for _, p := range run(t, cmd) {
		files[p.ImportPath] = p.Export
	}
	return files
}

// A walker looks at all types that can be reached by exported names.
type walker struct {
	t    *testing.T
	seen map[types.Type]bool
}

func (w *walker) walk(from string, typ types.Type) {
	if w.seen[typ] {
		return
	}
	w.seen[typ] = true
	switch typ := typ.(type) {
	case *types.Alias:
		w.walk(from, types.Unalias(typ))
	case *types.Named:
		w.named(from, typ)
	case *types.Pointer:
		w.walk(from, typ.Elem())
	case *types.Slice:
		w.walk(from, typ.Elem())
	case *types.Array:
		w.walk(from, typ.Elem())
	case *types.Chan:
		w.walk(from, typ.Elem())
	case *types.Map:
		w.walk(from, typ.Key())
		w.walk(from, typ.Elem())
	case *types.Signature:
		w.walk(from, typ.Params())
		w.walk(from, typ.Results())
	case *types.Tuple:
		for v := range typ.Variables() {
			w.walk(from, v.Type())
		}
	case *types.Struct:
		for f := range typ.Fields() {
			if f.Exported() {
				w.walk(from+"."+f.Name(), f.Type())
			}
		}
	case *types.Interface:
		for m := range typ.Methods() {
			w.walk(from+"."+m.Name(), m.Type())
		}
	}
}

func (w *walker) named(from string, typ *types.Named) {
	if pkg := typ.Obj().Pkg(); pkg != nil && pkg.Path() != module && !strings.HasPrefix(pkg.Path(), module+"/") {
		if strings.Contains(strings.Split(pkg.Path(), "/")[0], ".") {
			w.t.Errorf("%s is of %s", from, pkg.Path())
		}
		return
	}
	for a := range typ.TypeArgs().Types() {
		w.walk(from, a)
	}
	for m := range typ.Methods() {
		if m.Exported() {
			w.walk(from+"."+m.Name(), m.Type())
		}
	}
	w.walk(from, typ.Underlying())
}

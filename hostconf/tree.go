package hostconf

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
)

const (
	maxFile  = 1 << 20 // octets
	maxFiles = 256     // of one directory
	maxLinks = 40      // symbolic links of one path, as the kernel has it
)

// Changes are what can happen in a directory that is of interest.
type changes uint8

const (
	entries changes = iota + 1 // entries come, go, or are given to others
	closed                     // and files are closed after writing
	written                    // and files are written to
)

// A tree is the file tree below Config.Root. While it reads it notes which
// directories would show that the result has changed.
type tree struct {
	root    *os.Root
	watches map[string]changes
}

// A file is the content of a regular file, or the part of it that is looked at.
type file struct {
	path string
	text string
	size int64 // octets up to the end of text; info can tell another if somebody writes
	info fs.FileInfo
}

func (t *tree) watch(dir string, c changes) { t.watches[dir] = max(t.watches[dir], c) }

// rel is a path as os.Root wants it.
func rel(abs string) string { return "." + abs }

// resolve follows the symbolic links in a path, absolute ones too, within the
// tree. What is missing or a link can change, so its directory is watched.
func (t *tree) resolve(abs string) (string, fs.FileInfo, error) {
	at, links := "/", 0
	var info fs.FileInfo
	for rest := strings.Split(abs, "/"); len(rest) > 0; {
		next := path.Join(at, rest[0])
		rest = rest[1:]
		if next == at {
			continue
		}
		var err error
		if info, err = t.root.Lstat(rel(next)); err != nil {
			if errors.Is(err, syscall.ENOTDIR) {
				at = path.Dir(at)
			}
			t.watch(at, entries)
			return "", nil, err
		}
		if info.Mode().Type() != fs.ModeSymlink {
			at = next
			continue
		}
		t.watch(at, entries)
		target, err := t.root.Readlink(rel(next))
		if links++; err != nil || links > maxLinks {
			return "", nil, &fs.PathError{Op: "readlink", Path: next, Err: errors.Join(err, syscall.ELOOP)}
		}
		if path.IsAbs(target) {
			at = "/"
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	return at, info, nil
}

// read reads a regular file: its first octets, or its last ones if tail. Nothing
// else is opened, since that could wait or do something.
func (t *tree) read(abs string, c changes, tail bool) (file, error) {
	at, info, err := t.resolve(abs)
	if err != nil {
		return file{}, fmt.Errorf("hostconf: %s: %w", abs, err)
	}
	t.watch(path.Dir(at), c)
	if info == nil || !info.Mode().IsRegular() {
		return file{}, fmt.Errorf("hostconf: %s: not a regular file: %w", abs, fs.ErrInvalid)
	}
	f, err := t.root.OpenFile(rel(at), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return file{}, fmt.Errorf("hostconf: %s: %w", abs, err)
	}
	defer f.Close()
	found := file{path: abs}
	if err := found.fill(f, tail); err != nil {
		return file{}, fmt.Errorf("hostconf: %s: %w", abs, err)
	}
	return found, nil
}

func (f *file) fill(from *os.File, tail bool) (err error) {
	if f.info, err = from.Stat(); err != nil {
		return err
	}
	var start int64
	if over := f.info.Size() - maxFile; tail && over > 0 {
		if start, err = from.Seek(over, io.SeekStart); err != nil {
			return err
		}
	}
	b, err := io.ReadAll(io.LimitReader(from, maxFile))
	f.text, f.size = string(b), start+int64(len(b))
	return err
}

// glob reads the files of a directory whose names match the pattern. The error
// tells of the directory or of the first file that cannot be read.
func (t *tree) glob(pattern string, c changes, tail bool) ([]file, error) {
	names, err := t.match(pattern, c)
	if err != nil {
		return nil, fmt.Errorf("hostconf: %s: %w", pattern, err)
	}
	var files []file
	for _, name := range names {
		f, failed := t.read(name, c, tail)
		switch {
		case failed == nil:
			files = append(files, f)
		case err == nil:
			err = failed
		}
	}
	if len(names) == 0 {
		err = fmt.Errorf("hostconf: %s: %w", pattern, fs.ErrNotExist)
	}
	return files, err
}

// match lists the paths of the files that match, in order of name.
func (t *tree) match(pattern string, c changes) ([]string, error) {
	dir, base := path.Split(pattern)
	at, _, err := t.resolve(dir)
	if err != nil {
		return nil, err
	}
	all, err := fs.ReadDir(t.root.FS(), path.Clean(rel(at)))
	if err != nil {
		return nil, err
	}
	t.watch(at, c)
	var names []string
	for _, e := range all {
		if ok, err := path.Match(base, e.Name()); err != nil {
			return nil, err
		} else if ok && len(names) < maxFiles {
			names = append(names, dir+e.Name())
		}
	}
	return names, nil
}

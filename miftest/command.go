package miftest

import (
	"bytes"
	"errors"
	"os/exec"
)

// A Cmd is a process inside the host's namespace: an exec.Cmd that is started
// by its own Start, Run, Output or CombinedOutput only.
type Cmd struct {
	*exec.Cmd

	// Unprivileged starts the process with no capability and no way to gain
	// one. It keeps the user ID, 0, but not that user's powers.
	Unprivileged bool

	host *Host
}

// Command returns the command to run name with args in the host. A process that
// is this test binary again should be started as /proc/self/exe; Main and Enter
// leave it where it is.
func (h *Host) Command(name string, args ...string) *Cmd {
	return &Cmd{Cmd: exec.Command(name, args...), host: h}
}

// Start starts the process and does not wait for it.
func (c *Cmd) Start() error {
	// A child gets its namespace and capabilities from the thread that forks it.
	return c.host.Do(func() error {
		if c.Unprivileged {
			if err := dropCapabilities(); err != nil {
				return err
			}
		}
		return c.Cmd.Start()
	})
}

// Run starts the process and waits for it.
func (c *Cmd) Run() error {
	if err := c.Start(); err != nil {
		return err
	}
	return c.Wait()
}

// Output runs the process and returns what it wrote to its standard output.
func (c *Cmd) Output() ([]byte, error) {
	var out, errs bytes.Buffer
	c.Stdout = &out
	if c.Stderr == nil {
		c.Stderr = &errs
	}
	err := c.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		exit.Stderr = errs.Bytes()
	}
	return out.Bytes(), err
}

// CombinedOutput runs the process and returns all that it wrote.
func (c *Cmd) CombinedOutput() ([]byte, error) {
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err := c.Run()
	return out.Bytes(), err
}

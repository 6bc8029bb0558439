// Package hosts holds tests only: one and the same network, given to hosts that are
// managed in different ways, and what examples/watch tells on each, with a privilege
// and without.
//
// The tests need Linux, root, and the programs that manage the hosts; a host that
// lacks one is skipped and named. Nothing touches the machine: see package hostlab.
package hosts

// Package hostlab is for tests that run network managers and DHCP clients for real:
// a host with one link to a router, in namespaces of its own, driven by a shell.
//
// It needs root, because those programs do. Nothing touches the machine: what is
// written to /etc, /run and where leases are kept is written to memory and gone with
// the lab, as are all processes.
package hostlab

// Package interop holds tests only: they put Debian's radvd, dnsmasq and ISC dhclient
// beside the library and hold what examples/watch tells against the truth, which is
// what the kernel says and what the programs were configured with.
//
// The tests need Linux, the three programs and ip of iproute2; one that lacks a program
// is skipped and names it. Nothing touches the machine: the programs run in namespaces
// of package miftest, as root or not, and end with the tests.
package interop

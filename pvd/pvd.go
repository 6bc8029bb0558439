// Package pvd holds the values of provisioning domains (PvDs): identities, a
// host's state at one instant (Snapshot), the configuration data of a domain,
// and the two functions that all announcements come from: Build makes the next
// Snapshot out of facts, Diff tells what changed between two Snapshots, in the
// order in which a subscriber must hear it.
//
// The package is pure: it starts no goroutine, opens no socket, reads no clock
// (now is an argument) and imports only the standard library. Everything it
// hands out is immutable, may be kept, and may be read from any goroutine.
//
// The section sign (§) refers to draft-ietf-mif-api-extension-00.
package pvd

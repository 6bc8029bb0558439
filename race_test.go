//go:build race

package mif

// The race detector makes a storm ten times slower.
const stormChanges = 20_000

//go:build !race

package mif

const stormChanges = 200_000

//go:build race

package interop

// raced tells whether the tests run under the race detector: what they build does too.
const raced = true

// Package netns makes sockets in other network namespaces. There is something in it
// on Linux only.
package netns

// Package quictest tests QUIC over sockets of package connect. It is a module of its
// own so that no user of the library has to have a QUIC implementation.
package quictest

module github.com/go-mif/mif/connect/quictest

go 1.26.0

require (
	github.com/go-mif/mif v0.0.0
	github.com/quic-go/quic-go v0.65.0
)

require (
	github.com/mdlayher/ndp v1.1.0 // indirect
	github.com/miekg/dns v1.1.73 // indirect
	github.com/vishvananda/netlink v1.3.1 // indirect
	github.com/vishvananda/netns v0.0.5 // indirect
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)

replace github.com/go-mif/mif => ../..

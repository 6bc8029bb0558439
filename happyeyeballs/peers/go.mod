module github.com/go-mif/mif/happyeyeballs/peers

go 1.26.0

replace github.com/go-mif/mif => ../..

require (
	github.com/Jigsaw-Code/outline-sdk v0.0.19
	github.com/go-mif/mif v0.0.0
)

require (
	github.com/mdlayher/ndp v1.1.0 // indirect
	github.com/miekg/dns v1.1.73 // indirect
	github.com/vishvananda/netlink v1.3.1 // indirect
	github.com/vishvananda/netns v0.0.5 // indirect
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)

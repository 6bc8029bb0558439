package netlink

// Numbers of the kernel's interface that the decoders need on every system, so
// that they can be tested on any.
const (
	afUnspec = 0
	afINET   = 2
	afINET6  = 10

	nlmsgError = 2
	nlmsgDone  = 3

	nlmFDumpInterrupted = 0x10  // in a reply
	nlmFReplace         = 0x100 // in an event
	nlmFAppend          = 0x800

	rtmNewLink       = 16
	rtmDelLink       = 17
	rtmGetLink       = 18
	rtmNewAddr       = 20
	rtmDelAddr       = 21
	rtmGetAddr       = 22
	rtmNewRoute      = 24
	rtmDelRoute      = 25
	rtmGetRoute      = 26
	rtmNewRule       = 32
	rtmDelRule       = 33
	rtmGetRule       = 34
	rtmNewPrefix     = 52
	rtmNewNDUserOpt  = 68
	rtmNewNexthop    = 104
	rtmDelNexthop    = 105
	rtmGetNexthop    = 106
	routeCloned      = 0x200 // RTM_F_CLONED
	tableLocal       = 255
	typeUnicast      = 1
	forever          = 0xffffffff
	routeFlagsOfHop  = 0x4 | 0x2 // RTNH_F_ONLINK, RTNH_F_PERVASIVE
	clockTicks       = 100       // USER_HZ
	skipStats        = 8         // RTEXT_FILTER_SKIP_STATS
	raManaged        = 0x40      // IF_RA_MANAGED
	raOther          = 0x80      // IF_RA_OTHERCONF
	protocolKernel   = 2
	protocolRA       = 9
	icmpRouterAdvert = 134
	ruleInvert       = 2 // FIB_RULE_INVERT
)

// Flags of interfaces.
const (
	iffUp           = 0x1
	iffBroadcast    = 0x2
	iffLoopback     = 0x8
	iffPointToPoint = 0x10
	iffRunning      = 0x40
	iffMulticast    = 0x1000
	iffLowerUp      = 0x10000
)

// Operational states of interfaces (RFC 2863).
const (
	operUnknown = 0
	operUp      = 6
)

// Flags and scopes of addresses.
const (
	ifaTemporary  = 0x01 // IFA_F_SECONDARY for IPv4
	ifaOptimistic = 0x04
	ifaDADFailed  = 0x08
	ifaDeprecated = 0x20
	ifaTentative  = 0x40
	ifaManageTemp = 0x100

	scopeLink = 253

	madeByRA      = 2 // IFAPROT_KERNEL_RA
	madeLinkLocal = 3 // IFAPROT_KERNEL_LL
)

// Attributes of links.
const (
	iflaAddress   = 1
	iflaName      = 3
	iflaMTU       = 4
	iflaMaster    = 10
	iflaProtInfo  = 12
	iflaOperState = 16
	iflaLinkInfo  = 18
	iflaAFSpec    = 26
	iflaExtMask   = 29

	iflaInfoKind   = 1
	iflaInet6Flags = 1
	iflaInet6Conf  = 2
	inet6ConfMTU   = 2 // DEVCONF_MTU6, in an array of 32 bits each
)

// Attributes of addresses.
const (
	ifaAddress   = 1
	ifaLocal     = 2
	ifaCacheInfo = 6
	ifaFlags     = 8
	ifaProto     = 11
)

// Attributes of routes.
const (
	rtaDst       = 1
	rtaSrc       = 2
	rtaOIF       = 4
	rtaGateway   = 5
	rtaPriority  = 6
	rtaPrefSrc   = 7
	rtaMetrics   = 8
	rtaMultipath = 9
	rtaFlow      = 11
	rtaCacheInfo = 12
	rtaTable     = 15
	rtaVia       = 18
	rtaPref      = 20
	rtaEncapType = 21
	rtaEncap     = 22
	rtaNexthop   = 30
)

// Attributes of nexthop objects and of options of neighbour discovery.
const (
	nhaID        = 1
	nhaGroup     = 2
	nhaBlackhole = 4
	nhaOIF       = 5
	nhaGateway   = 6

	ndSourceAddr = 1
)

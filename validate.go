package mif

import (
	"fmt"
	"net/netip"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/go-mif/mif/pvd"
)

// validate refuses a request that makes no sense, naming the field. What may make
// sense, such as the identity of a domain that is gone, is left to events.
func validate(r Request) error {
	switch r := r.(type) {
	case AnnounceInterfaces, StopAnnouncingInterfaces, AnnounceProvisioningDomains, StopAnnouncingProvisioningDomains, Relay:
		return nil
	case AnnounceConfigurationElements:
		return validPvD("AnnounceConfigurationElements", r.PvD)
	case StopAnnouncingConfigurationElements:
		return validPvD("StopAnnouncingConfigurationElements", r.PvD)
	case AnnounceAddresses:
		return validPvD("AnnounceAddresses", r.PvD)
	case StopAnnouncingAddresses:
		return validPvD("StopAnnouncingAddresses", r.PvD)
	case GetConfigurationData:
		return first(validPvD("GetConfigurationData", r.PvD), unless(r.Item != 0, "GetConfigurationData.Item", "is 0"))
	case TranslateName:
		return validTranslation(r)
	case TranslateService:
		return validService(r)
	case StopTranslatingName:
		return validID("StopTranslatingName", uint64(r.ID))
	case ConnectToAddress:
		return validConnection("ConnectToAddress", r.ID, r.PvD, r.To, r.Timeout, r.UserTimeout)
	case ConnectToAddressFromAddress:
		return first(validConnection("ConnectToAddressFromAddress", r.ID, r.PvD, r.To, r.Timeout, r.UserTimeout), validSource(r))
	case StopConnecting:
		return validID("StopConnecting", uint64(r.ID))
	case WatchReadable:
		_, socket := r.Conn.(syscall.Conn)
		return first(validID("WatchReadable", uint64(r.ID)), unless(socket, "WatchReadable.Conn", "has no socket of its own"))
	}
	return fmt.Errorf("mif: %T is no request; requests are posted as values", r)
}

// first is the first error that is one.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// unless is an error about a field, unless that is all right.
func unless(ok bool, field, problem string) error {
	if ok {
		return nil
	}
	return refusal(field, problem)
}

func refusal(field, problem string) error { return fmt.Errorf("mif: %s %s", field, problem) }

func validPvD(request string, id PvDID) error {
	if id.IsValid() {
		return nil
	}
	return refusal(request+".PvD", "is the zero PvDID")
}

func validID(request string, id uint64) error {
	if id != 0 {
		return nil
	}
	return refusal(request+".ID", "is 0")
}

func validTranslation(r TranslateName) error {
	return first(
		validID("TranslateName", uint64(r.ID)),
		validPvD("TranslateName", r.PvD),
		validName("TranslateName.Name", r.Name),
		unless(r.Family == pvd.Both || r.Family == pvd.IPv4 || r.Family == pvd.IPv6, "TranslateName.Family", "is unknown"),
	)
}

func validName(field, name string) error {
	return first(
		unless(name != "", field, "is empty"),
		unless(len(name) <= 253 || len(name) == 254 && name[253] == '.', field, "has more than 253 octets"),
		unless(utf8.ValidString(name), field, "is not UTF-8"),
	)
}

func validService(r TranslateService) error {
	return first(
		validID("TranslateService", uint64(r.ID)),
		validPvD("TranslateService", r.PvD),
		validName("TranslateService.Name", r.Name),
		unless(validScheme(r.Scheme), "TranslateService.Scheme", "is not one of letters, digits and hyphens, 62 at most"),
	)
}

// validScheme tells whether a scheme makes a label of a name, with an underscore
// before it.
func validScheme(scheme string) bool {
	odd := func(r rune) bool {
		return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}
	return scheme != "" && len(scheme) <= 62 && !strings.ContainsFunc(scheme, odd)
}

func validConnection(request string, id ConnectionID, p PvDID, to netip.AddrPort, timeout, user time.Duration) error {
	a := to.Addr().Unmap()
	return first(
		validID(request, uint64(id)),
		validPvD(request, p),
		unless(to.Addr().IsValid(), request+".To", "has no address"),
		unless(to.Port() != 0, request+".To", "has no port"),
		unless(!a.IsUnspecified(), request+".To", "is the unspecified address"),
		unless(!a.IsMulticast() && a != netip.AddrFrom4([4]byte{255, 255, 255, 255}), request+".To", "is not a unicast address"),
		unless(timeout >= 0, request+".Timeout", "is negative"),
		unless(user >= 0, request+".UserTimeout", "is negative"),
	)
}

func validSource(r ConnectToAddressFromAddress) error {
	const field = "ConnectToAddressFromAddress.From"
	return first(
		unless(r.From.IsValid(), field, "is no address"),
		unless(!r.From.IsUnspecified() && !r.From.IsMulticast(), field, "is not a unicast address"),
		unless(r.From.Unmap().Is4() == r.To.Addr().Unmap().Is4(), field, "is of another family than To"),
	)
}

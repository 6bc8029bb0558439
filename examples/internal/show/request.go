package show

import "github.com/go-mif/mif"

// request fills in a line about a request.
func (l *Lines) request(out *line, r mif.Request) {
	switch r := r.(type) {
	case mif.AnnounceProvisioningDomains:
		l.on(out, r.Interface)
	case mif.StopAnnouncingProvisioningDomains:
		l.on(out, r.Interface)
	case mif.AnnounceConfigurationElements:
		l.of(out, r.PvD)
	case mif.StopAnnouncingConfigurationElements:
		l.of(out, r.PvD)
	case mif.AnnounceAddresses:
		l.of(out, r.PvD)
	case mif.StopAnnouncingAddresses:
		l.of(out, r.PvD)
	case mif.GetConfigurationData:
		l.item(out, r.PvD, r.Element, r.Item)
	default:
		l.workRequest(out, r)
	}
}

// workRequest fills in a line about a request of translations and connections.
func (l *Lines) workRequest(out *line, r mif.Request) {
	switch r := r.(type) {
	case mif.TranslateName:
		out.ID, out.Name, out.Family = uint64(r.ID), r.Name, r.Family.String()
		l.of(out, r.PvD)
	case mif.TranslateService:
		out.ID, out.Name, out.Scheme, out.Port = uint64(r.ID), r.Name, r.Scheme, r.Port
		l.of(out, r.PvD)
	case mif.StopTranslatingName:
		l.translation(out, r.ID)
	case mif.ConnectToAddress:
		out.ID, out.To = uint64(r.ID), r.To.String()
		l.of(out, r.PvD)
	case mif.ConnectToAddressFromAddress:
		out.ID, out.To, out.From = uint64(r.ID), r.To.String(), r.From.String()
		l.of(out, r.PvD)
	case mif.StopConnecting:
		l.connection(out, r.ID)
	case mif.WatchReadable:
		l.connection(out, r.ID)
	}
}

// on says which interface a line is about; the zero one is none.
func (l *Lines) on(out *line, id mif.InterfaceID) {
	if !id.IsValid() {
		return
	}
	out.Interface = id.Index()
	if out.Name == "" {
		out.Name = l.Name(id)
	}
}

// Name is the present name of an interface, as far as it was announced.
func (l *Lines) Name(id mif.InterfaceID) string {
	if n, ok := l.names[id]; ok {
		return n
	}
	return id.String()
}

// of says which domain a line is about.
func (l *Lines) of(out *line, id mif.PvDID) {
	l.on(out, id.Interface())
	out.PvD, out.FQDN = id.String(), l.families[id].FQDN
}

// domain says that, and the domain's family.
func (l *Lines) domain(out *line, id mif.PvDID) {
	l.of(out, id)
	if d, ok := l.families[id]; ok {
		out.Family = d.Family.String()
	}
}

func (l *Lines) item(out *line, id mif.PvDID, t mif.ElementType, i mif.Item) {
	l.of(out, id)
	out.Element, out.Item = t.String(), i.String()
}

func (l *Lines) translation(out *line, id mif.TranslationID) {
	out.ID = uint64(id)
	if t, ok := l.translations[id]; ok {
		out.Name = t.name
		l.of(out, t.pvd)
	}
}

func (l *Lines) connection(out *line, id mif.ConnectionID) {
	out.ID = uint64(id)
	if a, ok := l.connections[id]; ok {
		out.To, out.From = a.line.To, a.line.From
		l.of(out, a.pvd)
	}
}

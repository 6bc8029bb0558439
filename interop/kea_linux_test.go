package interop

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// kea4 is Kea's DHCPv4 server, whose clients renew every other second.
const kea4 = `{"Dhcp4": {
	"interfaces-config": {"interfaces": ["lan"]},
	"lease-database": {"type": "memfile", "persist": false},
	"renew-timer": 2, "rebind-timer": 8, "valid-lifetime": 10,
	"subnet4": [{
		"subnet": "192.0.2.0/24", "pools": [{"pool": "192.0.2.100 - 192.0.2.100"}],
		"option-data": [
			{"name": "routers", "data": "192.0.2.1"},
			{"name": "domain-name-servers", "data": "192.0.2.1"},
			{"name": "domain-search", "data": "four.example.com, example.net"},
			{"name": "ntp-servers", "data": "192.0.2.123"},
			{"name": "interface-mtu", "data": "1480"}
		]
	}],
	%s
}}`

// kea6 is Kea's DHCPv6 server, likewise.
const kea6 = `{"Dhcp6": {
	"interfaces-config": {"interfaces": ["lan"]},
	"lease-database": {"type": "memfile", "persist": false},
	"server-id": {"type": "LL", "htype": 1, "identifier": "020000000001", "persist": false},
	"renew-timer": 2, "rebind-timer": 20, "preferred-lifetime": 30, "valid-lifetime": 30,
	"option-data": [
		{"name": "dns-servers", "data": "2001:db8:53::53"},
		{"name": "domain-search", "data": "six.example.com"},
		{"name": "information-refresh-time", "data": "1800"}
	],
	"subnet6": [{"subnet": "2001:db8:1::/64", "interface": "lan", "pools": [{"pool": "2001:db8:1::100 - 2001:db8:1::100"}]}],
	%s
}}`

// keaLog has a server write what it does where it is seen.
const keaLog = `"loggers": [{"name": "%s", "severity": "INFO", "output_options": [{"output": "stdout", "flush": true}]}]`

// kea starts one of Kea's servers on the router and waits until it serves.
func (l *lab) kea(program, config string) *daemon {
	l.t.Helper()
	file := l.write(program+".conf", fmt.Sprintf(config, fmt.Sprintf(keaLog, program)), 0o644)
	l.must(os.MkdirAll(filepath.Join(l.dir, "kea"), 0o755))
	cmd := exec.Command(look(l.t, program), "-c", file)
	cmd.Env = append(os.Environ(), "KEA_LOCKFILE_DIR=none", "KEA_PIDFILE_DIR="+filepath.Join(l.dir, "kea"))
	d := start(l.t, cmd, func() error { return l.router.Do(cmd.Start) })
	d.await("_STARTED")
	return d
}

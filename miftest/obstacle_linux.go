package miftest

import (
	"os"
	"strings"
)

// obstacle names the setting that forbids user namespaces, as far as one shows.
func obstacle() string {
	for _, o := range []struct{ file, value, advice string }{
		{"/proc/sys/user/max_user_namespaces", "0", "sysctl -w user.max_user_namespaces=10000"},
		{"/proc/sys/user/max_net_namespaces", "0", "sysctl -w user.max_net_namespaces=10000"},
		{"/proc/sys/kernel/unprivileged_userns_clone", "0", "sysctl -w kernel.unprivileged_userns_clone=1"},
		{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1", "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"},
	} {
		b, err := os.ReadFile(o.file)
		if err == nil && strings.TrimSpace(string(b)) == o.value {
			return " (" + o.file + " is " + o.value + ": run as root: " + o.advice + ")"
		}
	}
	return " (a container's seccomp profile, a security module or a chroot may forbid them: in a container, run it with --privileged or with a seccomp profile that allows clone and unshare of user namespaces)"
}

package hostconf

import (
	"context"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// dial connects to the socket at a path below root. The socket is opened first,
// without connecting, since its path can be longer than an address may be, and
// must not lead out of the root.
func dial(ctx context.Context, root *os.Root, at string) (net.Conn, error) {
	f, err := root.OpenFile(rel(at), unix.O_PATH, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", fmt.Sprintf("/proc/self/fd/%d", f.Fd()))
	if op, ok := err.(*net.OpError); ok { // it names the descriptor, which is another each time
		return nil, fmt.Errorf("connect: %w", op.Err)
	}
	return conn, err
}

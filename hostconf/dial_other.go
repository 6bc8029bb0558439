//go:build !linux

package hostconf

import (
	"context"
	"errors"
	"net"
	"os"
)

func dial(context.Context, *os.Root, string) (net.Conn, error) { return nil, errors.ErrUnsupported }

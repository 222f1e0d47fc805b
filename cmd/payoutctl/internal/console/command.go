// Package console serves the console: pages in the browser that show the callbacks,
// payouts and problems of a stack. It reads with the packages of the other commands,
// and each change is a command line of payoutctl that it runs and shows. On a deployed
// stack it is read-only: the routes that change are not mounted, and the AWS clients
// refuse every action that is not a read (guard.go).
package console

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
)

// TokenVariable is the environment variable with the token of the console, for a
// program that starts it. It has at least minToken characters.
const TokenVariable = "PAYOUT_CALLBACKS_CONSOLE_TOKEN"

const minToken = 20

// Command serves the console until it is interrupted.
type Command struct {
	Port       uint16 `help:"Port on 127.0.0.1. 0 chooses a free one." default:"0" placeholder:"PORT"`
	ShowBodies bool   `help:"On a deployed stack, show bodies and recipients. They are masked otherwise."`
}

// Help gives examples.
func (Command) Help() string {
	return `Open the printed address in a browser. Its token is valid until the command ends. The console listens on this machine
only, and on a deployed stack it changes nothing; it shows the command for each change instead.

	payoutctl --local console
	payoutctl --stack payouts-prod console --port 8080

Needs, of a deployed stack, cloudformation:DescribeStacks to find it, and only these actions, none of which changes it:
` + strings.Join(readActions, ", ") + "."
}

// Run serves the console.
func (c *Command) Run(ctx context.Context, s *cli.Session, stack cli.Stack) error {
	token := cmp.Or(s.Env(TokenVariable), rand.Text())
	if len(token) < minToken {
		return cli.Usagef("", "%s is shorter than %d characters", TokenVariable, minToken)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(c.Port))))
	if err != nil {
		return cli.Failuref("choose another --port, or 0 for a free one", "serve console: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	port := int(netip.MustParseAddrPort(listener.Addr().String()).Port())
	address := fmt.Sprintf("http://127.0.0.1:%d/?token=%s", port, token)
	if err := s.PrintResult(map[string]string{"consoleUrl": address}, "Console: "+address+"\nCtrl-C stops it.\n"); err != nil {
		return err
	}
	server := &http.Server{
		Handler:           New(ctx, s, stack, Options{Port: port, Token: token, ShowBodies: c.ShowBodies}),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		IdleTimeout:       2 * time.Minute,
		BaseContext:       func(net.Listener) context.Context { return ctx }, // ends the streams, too
	}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return cli.Failuref("", "serve console: %w", err)
	}
	return nil
}

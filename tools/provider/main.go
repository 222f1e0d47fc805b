// Command provider writes and checks what the repository has for each payment provider.
//
//	provider generate            write the generated regions of template.yaml and documents
//	provider new NAME SCHEME     add a provider that verifies callbacks by hmac or header-key
//	provider remove NAME         take a provider out again
//	provider check NAME [--json] write what a provider's tests show about each requirement
//
// A generated region stands between two lines, "# generated: NAME" and "# end", or, in a
// document, "<!-- generated: NAME -->" and "<!-- end -->". Its content follows from the
// descriptions of the providers.
//
// A provider is added and removed in a copy of the repository, in .local. The changes are
// moved into place once the copy builds and its tests pass; otherwise nothing changes. It
// takes about a minute; standard error has a line for each step.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, ".", os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "provider: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, root string, arguments []string) error {
	if len(arguments) == 0 {
		arguments = []string{""}
	}
	command, arguments := arguments[0], arguments[1:]
	switch isJSON := len(arguments) == 2 && arguments[1] == "--json"; {
	case command == "generate" && len(arguments) == 0:
		return generate(root)
	case command == "new" && len(arguments) == 2:
		return add(ctx, root, arguments[0], arguments[1], os.Stderr)
	case command == "remove" && len(arguments) == 1:
		return remove(ctx, root, arguments[0], os.Stderr)
	case command == "check" && (len(arguments) == 1 || isJSON):
		return check(ctx, root, arguments[0], isJSON, os.Stdout)
	}
	return errors.New("want generate, new NAME SCHEME, remove NAME, or check NAME [--json]")
}

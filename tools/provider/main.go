// Command provider writes what the repository repeats for each payment provider.
//
//	provider generate            write the generated regions of template.yaml and documents
//	provider check NAME [--json] write what a provider's tests show about each requirement
//
// A generated region stands between two lines, "# generated: NAME" and "# end", or, in a
// document, "<!-- generated: NAME -->" and "<!-- end -->". Its content follows from the
// descriptions of the providers.
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "provider: %v\n", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	switch {
	case len(arguments) == 1 && arguments[0] == "generate":
		return generate(".")
	case len(arguments) == 2 && arguments[0] == "check":
		return check(".", arguments[1], false, os.Stdout)
	case len(arguments) == 3 && arguments[0] == "check" && arguments[2] == "--json":
		return check(".", arguments[1], true, os.Stdout)
	default:
		return fmt.Errorf("unknown command %q: want generate, or check NAME [--json]", arguments)
	}
}

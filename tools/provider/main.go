// Command provider writes what the repository repeats for each payment provider.
//
//	provider generate          write the generated regions of template.yaml and documents
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
	default:
		return fmt.Errorf("unknown command %q: want generate", arguments)
	}
}

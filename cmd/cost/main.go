// Command cost says what a million callbacks cost on AWS, by service, from list
// prices (prices.go), from what the code does for a callback (counts.go, which a
// test holds to the code) and from assumptions (assumptions.go, which flags
// change). It calls nothing.
//
//	go run ./cmd/cost                       the tables of docs/COST.md
//	go run ./cmd/cost --per-month 5000000   one volume, every line
//	go run ./cmd/cost --json                every line of every volume, one object a line
//	go run ./cmd/cost --write docs/COST.md  puts the tables into the document
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
)

// volumes are the callbacks a month that the tables compare.
var volumes = []int64{1e6, 100e6, 10e9}

const mostPerMonth = 100e9 // what the arithmetic is sure to hold

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "cost:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	assumed := usual()
	flags := flag.NewFlagSet("cost", flag.ExitOnError)
	perMonth := flags.Int64("per-month", 0, "callbacks a month: every line of this volume alone")
	asJSON := flags.Bool("json", false, "one object a line")
	write := flags.String("write", "", "put the tables between the markers of this file")
	assumed.flags(flags)
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *perMonth < 0 || *perMonth > mostPerMonth || flags.NArg() > 0 {
		return fmt.Errorf("--per-month is up to %d, and there are no arguments", int64(mostPerMonth))
	}
	if err := assumed.check(); err != nil {
		return err
	}
	asked := volumes
	if *perMonth > 0 {
		asked = []int64{*perMonth}
	}
	switch {
	case *write != "":
		return writeInto(*write, tables(assumed, volumes))
	case *asJSON:
		return printJSON(out, assumed, asked)
	case *perMonth > 0:
		_, err := io.WriteString(out, lines(assumed, *perMonth))
		return err
	}
	_, err := io.WriteString(out, tables(assumed, volumes))
	return err
}

func printJSON(out io.Writer, assumed assumptions, asked []int64) error {
	encoder := json.NewEncoder(out)
	for _, volume := range asked {
		for _, one := range bill(assumed, volume) {
			told := struct {
				PerMonth int64 `json:"callbacksPerMonth"`
				line
			}{volume, one}
			if err := encoder.Encode(told); err != nil {
				return err
			}
		}
	}
	return nil
}

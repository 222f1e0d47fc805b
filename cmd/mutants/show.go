package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

// progress tells how far it is: in one moving line on a terminal, in a line for
// each mutant elsewhere.
type progress struct {
	out      io.Writer
	terminal bool
	total    int
	begun    time.Time

	mu      sync.Mutex
	ended   int
	escaped int
}

func showOn(out io.Writer, total int) *progress {
	shown := &progress{out: out, total: total, begun: time.Now()}
	if file, ok := out.(*os.File); ok {
		info, err := file.Stat()
		shown.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
	}
	return shown
}

func (p *progress) begin(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.terminal:
		fmt.Fprintf(p.out, "\r\x1b[K%d of %d, %d not caught, %d s: %s", p.ended, p.total, p.escaped, int(time.Since(p.begun).Seconds()), what)
	case p.ended == 0:
		fmt.Fprintf(p.out, "· %s\n", what)
	}
}

func (p *progress) end(told result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended++
	if told.Verdict != caught {
		p.escaped++
	}
	if !p.terminal {
		fmt.Fprintf(p.out, "%d of %d: %s: %s %s (%.1f s)\n", p.ended, p.total, told.Mutant, told.Verdict, told.By, told.Seconds)
	}
}

func (p *progress) done() {
	if p.terminal {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}

func printResults(out io.Writer, results []result, asJSON bool) error {
	if !asJSON {
		return printTable(out, results)
	}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for _, one := range results {
		if err := encoder.Encode(one); err != nil {
			return err
		}
	}
	return nil
}

// printTable prints what a person wants to know: which rule was broken how, and
// which test said so. Why a mutant is broken follows below.
func printTable(out io.Writer, results []result) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "BREAKS\tMUTANT\tCAUGHT BY")
	seen := map[verdict]int{}
	var notes strings.Builder
	for _, one := range results {
		seen[one.Verdict]++
		by := one.By
		if one.Verdict != caught {
			by = string(one.Verdict)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", one.Breaks, one.Mutant, by)
		if one.Why != "" {
			fmt.Fprintf(&notes, "\n%s (%s): %s\n", one.Mutant, one.File, one.Why)
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if seen[""] > 0 {
		return nil
	}
	_, err := fmt.Fprintf(out, "%s\n%d mutants: %d caught, %d survived, %d broken\n",
		notes.String(), len(results), seen[caught], seen[survived], seen[broken])
	return err
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"text/tabwriter"
	"time"
)

// row is one ratio.
type row struct {
	What    string `json:"what"`
	Against string `json:"against"`
	spread
	Bound   float64 `json:"bound"` // the ratio to reach; 0 where there is none
	Reached bool    `json:"reached"`
	Ours    string  `json:"ours"`
	Floor   string  `json:"floor"`
	Note    string  `json:"note,omitempty"`
}

func newRow(what, against string, ratio spread, bound float64) row {
	return row{What: what, Against: against, spread: ratio, Bound: bound, Reached: bound == 0 || ratio.Median <= bound}
}

func (r row) of(ours, floor any) row {
	r.Ours, r.Floor = fmt.Sprint(ours), fmt.Sprint(floor)
	return r
}

func (r row) noting(format string, args ...any) row {
	r.Note = fmt.Sprintf(format, args...)
	return r
}

// report is all that was measured, and where.
type report struct {
	At       time.Time         `json:"at"`
	Machine  string            `json:"machine"`
	Versions map[string]string `json:"versions"`
	Quick    bool              `json:"quick,omitempty"`
	Rows     []row             `json:"rows"`
}

func describe(ctx context.Context, w *world) *report {
	versions := map[string]string{"go": runtime.Version()}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			for _, told := range []string{"aws-lambda-go", "service/dynamodb", "service/sqs", "smithy-go", "go-json-experiment/json"} {
				if strings.HasSuffix(module.Path, told) {
					versions[told] = module.Version
				}
			}
		}
	}
	if out, err := exec.CommandContext(ctx, "git", "-C", w.root, "rev-parse", "--short", "HEAD").Output(); err == nil {
		versions["commit"] = strings.TrimSpace(string(out))
	}
	return &report{
		At: time.Now().UTC().Truncate(time.Second), Versions: versions, Quick: w.quick,
		Machine: fmt.Sprintf("%s/%s, %d processors%s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), processor()),
	}
}

func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return ", " + strings.TrimSpace(value)
		}
	}
	return ""
}

func (r *report) reached() bool {
	for _, row := range r.Rows {
		if !row.Reached {
			return false
		}
	}
	return true
}

func (r *report) write(asked flags, stdout io.Writer) error {
	if asked.Docs != "" {
		if err := r.into(asked.Docs); err != nil {
			return err
		}
	}
	if asked.JSON {
		encoder := json.NewEncoder(stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	}
	return r.print(stdout)
}

func (r *report) print(to io.Writer) error {
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "WHAT\tAGAINST\tRATIO\t95 %\tTO REACH\t\tOURS\tFLOOR")
	for _, row := range r.Rows {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%.2f\t%.2f to %.2f\t%s\t%s\t%s\t%s\n",
			row.What, row.Against, row.Median, row.Low, row.High, row.bound(), row.verdict(), row.Ours, row.Floor)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, row := range r.Rows {
		if row.Note != "" {
			_, _ = fmt.Fprintf(to, "%s: %s\n", row.What, row.Note)
		}
	}
	_, err := fmt.Fprintln(to, r.place())
	return err
}

func (r row) bound() string {
	if r.Bound == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", r.Bound)
}

func (r row) verdict() string {
	switch {
	case r.Bound == 0:
		return ""
	case r.Reached:
		return "reached"
	}
	return "NOT reached"
}

// place says where and with what.
func (r *report) place() string {
	var versions []string
	for _, name := range []string{"commit", "go", "aws-lambda-go", "service/dynamodb", "service/sqs", "smithy-go", "go-json-experiment/json"} {
		if version := r.Versions[name]; version != "" {
			versions = append(versions, name+" "+version)
		}
	}
	quick := ""
	if r.Quick {
		quick = " (quick: the ratios mean nothing)"
	}
	return fmt.Sprintf("%s, %s; %s%s", r.At.Format(time.RFC3339), r.Machine, strings.Join(versions, ", "), quick)
}

// The table stands between these in the document.
const (
	begin = "<!-- bench: begin -->\n"
	end   = "<!-- bench: end -->\n"
)

// into replaces the table of a document.
func (r *report) into(document string) error {
	text, err := os.ReadFile(document)
	if err != nil {
		return err
	}
	before, rest, ok := bytes.Cut(text, []byte(begin))
	_, after, ended := bytes.Cut(rest, []byte(end))
	if !ok || !ended {
		return fmt.Errorf("%s has no lines %q and %q", document, strings.TrimSpace(begin), strings.TrimSpace(end))
	}
	var table strings.Builder
	table.WriteString("| what | against | ratio | 95 % | to reach | | ours | floor |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, row := range r.Rows {
		fmt.Fprintf(&table, "| %s | %s | %.2f | %.2f to %.2f | %s | %s | %s | %s |\n",
			row.What, row.Against, row.Median, row.Low, row.High, row.bound(), row.verdict(), row.Ours, row.Floor)
	}
	table.WriteString("\n")
	for _, row := range r.Rows {
		if row.Note != "" {
			fmt.Fprintf(&table, "- %s: %s\n", row.What, row.Note)
		}
	}
	fmt.Fprintf(&table, "\n%s\n", r.place())
	return os.WriteFile(document, bytes.Join([][]byte{before, []byte(begin), []byte(table.String()), []byte(end), after}, nil), 0o600)
}

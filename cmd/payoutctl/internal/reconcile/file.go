package reconcile

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/reconcile"
)

// fields are the names of the columns of a file.
var fields = reconcile.ExpectationFields()

// sendFile sends the expectations of a file. A line that fails does not stop the others;
// a missing permission does.
func (c *Expect) sendFile(ctx context.Context, s *sender) error {
	file, err := s.Open(c.File, "expectations")
	if err != nil {
		return err
	}
	defer file.Close()
	counts := map[reconcile.ExpectOutcome]int{}
	progress := s.StartProgress()
	for l := range readLines(file) {
		if l.isFatal {
			return cli.WithHint(fmt.Sprintf("%s were sent before; the whole file can be sent again", countResults(counts)), l.err)
		}
		e := expected{Line: l.number}
		if err := l.err; err == nil {
			e.ExpectResult, l.err = s.send(ctx, l.expectation)
		}
		if isFinalFailure(ctx, l.err) {
			return cli.WithHint(fmt.Sprintf("line %d was not sent, %s were", l.number, countResults(counts)), l.err)
		}
		if l.err != nil {
			e.Result, e.Problem = resultFailed, l.err.Error()
			if refused, ok := errors.AsType[*reconcile.FieldError](l.err); ok {
				e.Field, e.Problem = refused.Field, refused.Problem
			}
		}
		counts[e.Result]++
		progress("line %d", l.number)
		if err := printExpected(s.Session, e); err != nil {
			return err
		}
	}
	if counts[reconcile.ExpectConflict]+counts[resultFailed] > 0 {
		return cli.Negativef("correct the lines, and send the whole file again: the same again changes nothing", "%s", countResults(counts))
	}
	s.Notef("%s", countResults(counts))
	return nil
}

// isFinalFailure reports whether every other line would fail as well.
func isFinalFailure(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, errForbidden) || errors.Is(err, errNoRoute)
}

// countResults formats the number of lines by result.
func countResults(counts map[reconcile.ExpectOutcome]int) string {
	var parts []string
	for _, result := range []reconcile.ExpectOutcome{
		reconcile.ExpectNew, reconcile.ExpectChanged, reconcile.ExpectDuplicate, reconcile.ExpectConflict, resultFailed,
	} {
		if counts[result] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[result], result))
		}
	}
	if len(parts) == 0 {
		return "0 lines"
	}
	return strings.Join(parts, ", ")
}

// line is a line of a file, numbered from 1.
type line struct {
	number      int
	expectation reconcile.Expectation
	err         error // a *reconcile.FieldError if the line alone cannot be read
	isFatal     bool  // the rest of the file cannot be read
}

// maxLine bounds a line of JSON.
const maxLine = 1 << 20

// readLines reads a file of CSV, or of JSON lines if its first character is a brace. It
// passes over a byte-order mark.
func readLines(file io.Reader) iter.Seq[line] {
	buffered := bufio.NewReader(file)
	if first, _, err := buffered.ReadRune(); err == nil && first != '\ufeff' {
		_ = buffered.UnreadRune() // a rune was read
	}
	begin, _ := buffered.Peek(maxBlank)
	if bytes.HasPrefix(bytes.TrimSpace(begin), []byte("{")) {
		return jsonLines(buffered)
	}
	return csvLines(buffered)
}

// maxBlank is how far the first character of a file is looked for.
const maxBlank = 1024

func jsonLines(file io.Reader) iter.Seq[line] {
	return func(yield func(line) bool) {
		scanner := bufio.NewScanner(file)
		scanner.Buffer(nil, maxLine)
		number := 1
		for ; scanner.Scan(); number++ {
			text := bytes.TrimSpace(scanner.Bytes())
			if len(text) == 0 {
				continue
			}
			expectation, err := reconcile.ParseExpectation(text)
			if !yield(line{number: number, expectation: expectation, err: err}) {
				return
			}
		}
		if err := scanner.Err(); err != nil {
			yield(line{err: cli.Failuref("", "read line %d: %w", number, err), isFatal: true})
		}
	}
}

func csvLines(file io.Reader) iter.Seq[line] {
	return func(yield func(line) bool) {
		reader := csv.NewReader(file)
		header, err := readHeader(reader)
		if err != nil {
			yield(line{err: cli.Usagef("the first line has the names of the columns", "read header: %w", err), isFatal: true})
			return
		}
		for {
			record, err := reader.Read()
			malformed, isMalformed := errors.AsType[*csv.ParseError](err)
			l := line{isFatal: err != nil && !isMalformed}
			switch {
			case errors.Is(err, io.EOF):
				return
			case isMalformed:
				l.number, l.err = malformed.StartLine, &reconcile.FieldError{Problem: malformed.Err.Error()}
			case err != nil:
				l.err = cli.Failuref("", "read expectations: %w", err)
			default:
				l.number, _ = reader.FieldPos(0)
				l.expectation, l.err = parseRecord(header, record)
			}
			if !yield(l) || l.isFatal {
				return
			}
		}
	}
}

// readHeader reads the names of the columns.
func readHeader(reader *csv.Reader) ([]string, error) {
	header, err := reader.Read()
	for n := range header {
		header[n] = strings.TrimSpace(header[n])
		if !slices.Contains(fields, header[n]) || slices.Contains(header[:n], header[n]) {
			return nil, fmt.Errorf("%q is not a column, or is there twice; the columns are: %s", cli.Clean(header[n]), strings.Join(fields, ", "))
		}
	}
	return header, err
}

// parseRecord returns the expectation of a line of CSV. An empty column is left out.
func parseRecord(header, record []string) (reconcile.Expectation, error) {
	object := map[string]any{}
	for n, value := range record {
		value = strings.TrimSpace(value)
		switch number := json.Number(value); {
		case value == "":
		case header[n] != "items":
			object[header[n]] = value
		default:
			if _, err := number.Int64(); err != nil {
				return reconcile.Expectation{}, &reconcile.FieldError{Field: "items", Problem: "not a number"}
			}
			object[header[n]] = number
		}
	}
	body, err := json.Marshal(object)
	if err != nil {
		return reconcile.Expectation{}, err
	}
	return reconcile.ParseExpectation(body)
}

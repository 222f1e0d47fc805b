package providertest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"payout-callbacks/pkg/callback"
)

var verdicts = []callback.Verdict{
	callback.Acknowledged, callback.Unauthenticated, callback.Malformed, callback.TooLarge, callback.Unavailable,
}

// Replies reads the wanted answers in replies.txtar: a file for each verdict, with code
// and content type in its first line and then the body, without the newline that ends
// every file of an archive. A verdict that the provider sends again for is marked, and
// two lines before the files name the page and the codes that it says are sent again:
//
//	source: https://example.org/callbacks, 2026-03-02
//	retried: 408 429 5xx
//	-- acknowledged --
//	200 text/plain
//	success
//	-- unavailable retried --
//	503
//
// A provider that never sends a callback again has "retried: none".
func Replies(fsys fs.FS) (map[callback.Verdict]callback.Reply, error) {
	table, err := readReplies(fsys)
	return table.replies, err
}

// replyTable is replies.txtar.
type replyTable struct {
	replies map[callback.Verdict]callback.Reply
	marked  map[callback.Verdict]bool
	source  string
	retried string
}

func readReplies(fsys fs.FS) (replyTable, error) {
	table := replyTable{replies: map[callback.Verdict]callback.Reply{}, marked: map[callback.Verdict]bool{}}
	data, err := fs.ReadFile(fsys, repliesFile)
	if err != nil {
		return table, err
	}
	archive := txtar.Parse(data)
	for line := range strings.Lines(string(archive.Comment)) {
		switch name, value, _ := strings.Cut(strings.TrimSpace(line), ": "); name {
		case "":
		case "source":
			table.source = value
		case "retried":
			table.retried = value
		default:
			return table, fmt.Errorf("%s: unknown line %q", repliesFile, line)
		}
	}
	for _, file := range archive.Files {
		line, body, _ := strings.Cut(string(bytes.TrimSuffix(file.Data, []byte("\n"))), "\n")
		code, contentType, _ := strings.Cut(line, " ")
		number, err := strconv.Atoi(code)
		if err != nil {
			return table, fmt.Errorf("%s: %s: %w", repliesFile, file.Name, err)
		}
		name, isRetried := strings.CutSuffix(file.Name, " retried")
		table.replies[callback.Verdict(name)] = callback.Reply{Code: number, ContentType: contentType, Body: body}
		table.marked[callback.Verdict(name)] = isRetried
	}
	return table, nil
}

// checkReplies compares the provider's table byte for byte, and checks the rules for
// any table: refusals do not differ by reason, and no other answer looks like the
// acknowledgement.
func (s *suite) checkReplies() error {
	want, err := Replies(s.fsys)
	if errors.Is(err, fs.ErrNotExist) {
		return notWrittenError(testdata + "/" + repliesFile)
	} else if err != nil {
		return err
	}
	got := map[callback.Verdict]callback.Reply{}
	for _, verdict := range verdicts {
		got[verdict] = s.Reply(verdict)
	}
	var faults []error
	if diff := cmp.Diff(want, got); diff != "" {
		faults = append(faults, fmt.Errorf("replies (-want +got):\n%s", diff))
	}
	return errors.Join(append(faults, s.checkRefusals(got), s.checkAcknowledgement(got))...)
}

// checkRetries checks which answers the provider sends a callback again for, as the table
// and the description say: never for an acknowledgement, and for a fault of ours if for
// any. The table names the page.
func (s *suite) checkRetries() error {
	table, err := readReplies(s.fsys)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && (table.retried == "" || table.source == ""):
		return notWrittenError(testdata + "/" + repliesFile + ": the lines source and retried")
	case err != nil:
		return err
	case !strings.Contains(table.source, "://") || !hasDate(table.source):
		return fmt.Errorf("%s: source %q: want a page and the date on which it was read", repliesFile, table.source)
	}
	if retries := s.Description.Retries; len(retries.Codes) > 0 && len(retries.Waits) == 0 {
		return errors.New("the description's Retries has codes and no waits, so no code is retried: Waits has the time before each further attempt")
	}
	var faults []error
	for code := 100; code <= 599; code++ {
		_, isRetried := s.Description.Retries.Wait(1, code)
		if want := isRetriedCode(table.retried, code); isRetried != want {
			faults = append(faults, fmt.Errorf("code %d: the description says retried %t, %s says %q", code, isRetried, repliesFile, table.retried))
			break
		}
	}
	for _, verdict := range verdicts {
		code := table.replies[verdict].Code
		isRetried := isRetriedCode(table.retried, code)
		if isRetried != table.marked[verdict] {
			faults = append(faults, fmt.Errorf("%s: code %d is retried: %t, and marked: %t", verdict, code, isRetried, table.marked[verdict]))
		}
	}
	if table.marked[callback.Acknowledged] || table.retried != "none" && !table.marked[callback.Unavailable] {
		faults = append(faults, errors.New("an acknowledged callback is never sent again, and after a fault of ours it must be"))
	}
	return errors.Join(faults...)
}

// isRetriedCode reports whether a list such as "408 429 5xx" has a code.
func isRetriedCode(list string, code int) bool {
	text := strconv.Itoa(code)
	return slices.ContainsFunc(strings.Fields(list), func(c string) bool { return c == text || c == text[:1]+"xx" })
}

func (s *suite) checkRefusals(replies map[callback.Verdict]callback.Reply) error {
	var faults []error
	body := replies[callback.Unauthenticated].Body
	for _, verdict := range []callback.Verdict{callback.Unauthenticated, callback.Malformed, callback.TooLarge} {
		reply := replies[verdict]
		if reply.Code < 400 || reply.Code > 499 {
			faults = append(faults, fmt.Errorf("%s: code %d, want a 4xx", verdict, reply.Code))
		}
		if reply.Body != body {
			faults = append(faults, fmt.Errorf("%s: body %q differs by reason, others have %q", verdict, reply.Body, body))
		}
	}
	return errors.Join(faults...)
}

func (s *suite) checkAcknowledgement(replies map[callback.Verdict]callback.Reply) error {
	var faults []error
	acknowledge := replies[callback.Acknowledged]
	if acknowledge.Code != 200 {
		faults = append(faults, fmt.Errorf("acknowledged: code %d, want 200", acknowledge.Code))
	}
	if code := replies[callback.Unavailable].Code; code < 500 {
		faults = append(faults, fmt.Errorf("unavailable: code %d, want a 5xx: the fault is ours", code))
	}
	for _, verdict := range append([]callback.Verdict{"", "no such verdict"}, verdicts[1:]...) {
		reply := s.Reply(verdict)
		if reply.Code < 400 || acknowledge.Body != "" && reply.Body == acknowledge.Body {
			faults = append(faults, fmt.Errorf("%q: %+v looks like an acknowledgement", verdict, reply))
		}
	}
	return errors.Join(faults...)
}

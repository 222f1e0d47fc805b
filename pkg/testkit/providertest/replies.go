package providertest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
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
// every file of an archive.
//
//	-- acknowledged --
//	200 text/plain
//	success
func Replies(fsys fs.FS) (map[callback.Verdict]callback.Reply, error) {
	data, err := fs.ReadFile(fsys, repliesFile)
	if err != nil {
		return nil, err
	}
	replies := map[callback.Verdict]callback.Reply{}
	for _, file := range txtar.Parse(data).Files {
		line, body, _ := strings.Cut(string(bytes.TrimSuffix(file.Data, []byte("\n"))), "\n")
		code, contentType, _ := strings.Cut(line, " ")
		number, err := strconv.Atoi(code)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", repliesFile, file.Name, err)
		}
		replies[callback.Verdict(file.Name)] = callback.Reply{Code: number, ContentType: contentType, Body: body}
	}
	return replies, nil
}

// checkReplies compares the provider's table byte for byte, and checks the rules for
// any table: refusals do not differ by reason, and no other answer looks like the
// acknowledgement.
func (s suite) checkReplies(fsys fs.FS) error {
	want, err := Replies(fsys)
	if err != nil {
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

func (s suite) checkRefusals(replies map[callback.Verdict]callback.Reply) error {
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

func (s suite) checkAcknowledgement(replies map[callback.Verdict]callback.Reply) error {
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

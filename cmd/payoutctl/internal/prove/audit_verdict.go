package prove

import (
	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/ops/audit"
)

// provenVerdict is the one that nobody needs to read on after.
const signedVerdict = "it adds up"

// notProven says in words what an audit could not tell from what it was given.
func notProven(summary audit.Summary) []string {
	log := summary.Log
	switch {
	case log == nil:
		return []string{"that whatever was acknowledged is there: no log was given (--access-log)"}
	case log.Recognised() == 0:
		return []string{"that whatever was acknowledged is there: no line is of the gateway or of a callback's function"}
	case log.Answered+log.Acknowledged == 0:
		return []string{"that whatever was acknowledged is there: by these logs nothing was, in that time"}
	case log.Acknowledged == 0:
		return []string{"that what the gateway answered 200 is there: only the functions' own lines say which receipts"}
	case log.Answered == 0:
		return []string{"that each 200 of the gateway is told of by a function: its access log was not given"}
	}
	return nil
}

func (v auditView) unreadLog() bool { return v.Log != nil && v.Log.Recognised() == 0 }

func (v auditView) bounded() bool { return !v.From.IsZero() || !v.To.IsZero() }

// nothing says that there were no receipts.
func (v auditView) nothing() string {
	if v.bounded() {
		return "no receipt was accepted in that time"
	}
	return "there is no receipt at all"
}

// verdict says how it ended, and no more than was looked at.
func (v auditView) verdict() string {
	switch {
	case v.Findings > 0:
		return cli.Count(int(v.Findings), "finding") + ", listed above"
	case v.unreadLog():
		return "the tables add up, and the log proves nothing"
	case v.Receipts == 0 && v.Payouts == 0:
		return "there was nothing to add up: " + v.nothing()
	case v.Log != nil && v.Log.Acknowledged == 0:
		return "the tables add up, and the log names none of their receipts"
	}
	return signedVerdict
}

func (v auditView) colour() string {
	switch {
	case v.problem() != nil:
		return cli.Red
	case v.verdict() == signedVerdict:
		return cli.Green
	}
	return cli.Yellow
}

// problem is what ends the command with another exit code than 0.
func (v auditView) problem() error {
	switch {
	case v.Findings > 0:
		return cli.Negativef("", "%s: it does not add up", cli.Count(int(v.Findings), "finding"))
	case v.unreadLog():
		return cli.Negativef("give lines of JSON of the gateway's access log, or of the functions' own logs",
			"of %s of the log none is of the gateway or of a callback's function", cli.Count(int(v.Log.Lines), "line"))
	}
	return nil
}

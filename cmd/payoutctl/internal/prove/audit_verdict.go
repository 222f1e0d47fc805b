package prove

import (
	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/ops/audit"
)

// cleanVerdict means that there is nothing else to report.
const cleanVerdict = "consistent"

// notProven lists what the audit cannot prove from the given logs.
func notProven(summary audit.Summary) []string {
	const stored = "that every acknowledged callback is stored: "
	log := summary.Log
	switch {
	case log == nil:
		return []string{stored + "no log was given (--access-log)"}
	case log.Recognised() == 0:
		return []string{stored + "no line is from the gateway or an ingress function"}
	case log.Answered+log.Acknowledged == 0:
		return []string{stored + "the logs contain no acknowledgement in that time"}
	case log.Acknowledged == 0:
		return []string{"that every callback answered 200 is stored: only the functions' lines name the receipts"}
	case log.Answered == 0:
		return []string{"that every answer 200 of the gateway has a function's line: its access log was not given"}
	}
	return nil
}

func (v auditView) unreadLog() bool { return v.Log != nil && v.Log.Recognised() == 0 }

// nothing describes an audit without receipts.
func (v auditView) nothing() string {
	if !v.From.IsZero() || !v.To.IsZero() {
		return "no receipt was accepted in that time"
	}
	return "there are no receipts"
}

// verdict summarises the audit, within the limits of what was checked.
func (v auditView) verdict() string {
	switch {
	case v.Findings > 0:
		return cli.Count(int(v.Findings), "finding") + ", listed above"
	case v.unreadLog():
		return "the tables are consistent, and the log proves nothing"
	case v.Receipts == 0 && v.Payouts == 0:
		return "nothing to check: " + v.nothing()
	case v.Log != nil && v.Log.Acknowledged == 0:
		return "the tables are consistent, and the log names none of their receipts"
	}
	return cleanVerdict
}

func (v auditView) colour() string {
	switch {
	case v.problem() != nil:
		return cli.Red
	case v.verdict() == cleanVerdict:
		return cli.Green
	}
	return cli.Yellow
}

// problem returns the error for an exit code other than 0.
func (v auditView) problem() error {
	switch {
	case v.Findings > 0:
		return cli.Negativef("", "%s", cli.Count(int(v.Findings), "finding"))
	case v.unreadLog():
		return cli.Negativef("give lines of JSON of the gateway's access log, or of the functions' own logs",
			"none of %s of the log is from the gateway or an ingress function", cli.Count(int(v.Log.Lines), "line"))
	}
	return nil
}

package operate

import (
	"cmp"
	"context"
	"strings"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/send"
	"payout-callbacks/pkg/payout"
)

type sendPivot struct {
	Single pivotSingle `cmd:"" help:"One payout: PAYOUT.SUCCESS, PAYOUT.FAILED or PAYOUT.DELAYED."`
	Bulk   pivotBulk   `cmd:"" help:"The totals of a bulk request: PAYOUT.DONE, PAYOUT.PENDING, PAYOUT.DELAYED or PAYOUT.CANCELLED."`
}

// pivotFields are the documented fields of both callbacks.
type pivotFields struct {
	Event      string `help:"Event, such as PAYOUT.FAILED; it also sets the status." placeholder:"NAME"`
	Status     string `help:"Status, if it differs from the event." placeholder:"TEXT"`
	UUID       string `name:"uuid" help:"Pivot's id of the request." placeholder:"TEXT"`
	MerchantID string `help:"Merchant: the account." placeholder:"TEXT"`
	send.Overrides
}

func (f pivotFields) assignments(status string) []send.Assignment {
	_, text, _ := strings.Cut(f.Event, ".")
	return []send.Assignment{
		{"event", f.Event}, {status, cmp.Or(f.Status, text)}, {"data.uuid", f.UUID}, {"data.merchantId", f.MerchantID},
	}
}

type pivotSingle struct {
	Reference string `help:"Our reference: referenceId." placeholder:"TEXT"`
	Amount    string `help:"Amount." placeholder:"DECIMAL"`
	Currency  string `help:"Currency." placeholder:"TEXT"`
	Reason    string `help:"Reason of a failure." placeholder:"TEXT"`
	pivotFields
}

// Run sends the callback.
func (c *pivotSingle) Run(ctx context.Context, s *cli.Session, flags *Send) error {
	return sendExample(ctx, s, flags, send.Example{
		Provider: "pivot",
		Kind:     payout.TypePayout,
		File:     "pivot-single.json",
		Account:  "data.merchantId",
		Fields: append(c.assignments("data.payouts.status"),
			send.Assignment{"data.payouts.referenceId", c.Reference},
			send.Assignment{"data.payouts.amount.value", c.Amount},
			send.Assignment{"data.payouts.amount.currency", c.Currency},
			send.Assignment{"data.payouts.reason", c.Reason}),
		Overrides: c.Overrides,
	})
}

type pivotBulk struct {
	PendingCount    string `help:"Items pending." placeholder:"N"`
	PendingAmount   string `help:"Sum of their amounts." placeholder:"N"`
	SuccessCount    string `help:"Items that succeeded." placeholder:"N"`
	SuccessAmount   string `help:"Sum of their amounts." placeholder:"N"`
	FailedCount     string `help:"Items that failed." placeholder:"N"`
	FailedAmount    string `help:"Sum of their amounts." placeholder:"N"`
	CancelledCount  string `help:"Items that were cancelled." placeholder:"N"`
	CancelledAmount string `help:"Sum of their amounts." placeholder:"N"`
	pivotFields
}

// Run sends the callback.
func (c *pivotBulk) Run(ctx context.Context, s *cli.Session, flags *Send) error {
	const totals = "data.payoutResults.total"
	return sendExample(ctx, s, flags, send.Example{
		Provider: "pivot",
		Kind:     payout.TypePayout,
		File:     "pivot-bulk.json",
		Account:  "data.merchantId",
		Fields: append(c.assignments("data.status"),
			send.Assignment{totals + "PendingCount", c.PendingCount}, send.Assignment{totals + "PendingAmount", c.PendingAmount},
			send.Assignment{totals + "SuccessCount", c.SuccessCount}, send.Assignment{totals + "SuccessAmount", c.SuccessAmount},
			send.Assignment{totals + "FailedCount", c.FailedCount}, send.Assignment{totals + "FailedAmount", c.FailedAmount},
			send.Assignment{totals + "CancelledCount", c.CancelledCount}, send.Assignment{totals + "CancelledAmount", c.CancelledAmount}),
		Overrides: c.Overrides,
	})
}

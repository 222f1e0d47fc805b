package main

import (
	"cmp"
	"context"
	"strings"

	"payout-callbacks/pkg/payout"
)

type sendPivotCommand struct {
	Single pivotSingleCommand `cmd:"" help:"One payout: PAYOUT.SUCCESS, PAYOUT.FAILED or PAYOUT.DELAYED."`
	Bulk   pivotBulkCommand   `cmd:"" help:"The totals of a bulk request: PAYOUT.DONE, PAYOUT.PENDING, PAYOUT.DELAYED or PAYOUT.CANCELLED."`
}

// pivotFields are the documented fields that both callbacks have.
type pivotFields struct {
	Event      string `help:"Event, like PAYOUT.FAILED; the status follows it." placeholder:"NAME"`
	Status     string `help:"Status, where it is to be another than the event's." placeholder:"TEXT"`
	UUID       string `name:"uuid" help:"Pivot's id of the request." placeholder:"TEXT"`
	MerchantID string `help:"Merchant: the account." placeholder:"TEXT"`
	overrides
}

func (f pivotFields) assignments(status string) []assignment {
	_, text, _ := strings.Cut(f.Event, ".")
	return []assignment{
		{"event", f.Event}, {status, cmp.Or(f.Status, text)}, {"data.uuid", f.UUID}, {"data.merchantId", f.MerchantID},
	}
}

type pivotSingleCommand struct {
	Reference string `help:"Our reference: referenceId." placeholder:"TEXT"`
	Amount    string `help:"Amount." placeholder:"DECIMAL"`
	Currency  string `help:"Currency." placeholder:"TEXT"`
	Reason    string `help:"Why it failed, in the provider's words." placeholder:"TEXT"`
	pivotFields
}

// Run sends the callback.
func (c *pivotSingleCommand) Run(ctx context.Context, s *session, flags *sendCommand) error {
	return s.sendExample(ctx, flags, example{
		provider: "pivot",
		kind:     payout.TypePayout,
		file:     "pivot-single.json",
		account:  "data.merchantId",
		fields: append(c.assignments("data.payouts.status"),
			assignment{"data.payouts.referenceId", c.Reference},
			assignment{"data.payouts.amount.value", c.Amount},
			assignment{"data.payouts.amount.currency", c.Currency},
			assignment{"data.payouts.reason", c.Reason}),
		overrides: c.overrides,
	})
}

type pivotBulkCommand struct {
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
func (c *pivotBulkCommand) Run(ctx context.Context, s *session, flags *sendCommand) error {
	const totals = "data.payoutResults.total"
	return s.sendExample(ctx, flags, example{
		provider: "pivot",
		kind:     payout.TypePayout,
		file:     "pivot-bulk.json",
		account:  "data.merchantId",
		fields: append(c.assignments("data.status"),
			assignment{totals + "PendingCount", c.PendingCount}, assignment{totals + "PendingAmount", c.PendingAmount},
			assignment{totals + "SuccessCount", c.SuccessCount}, assignment{totals + "SuccessAmount", c.SuccessAmount},
			assignment{totals + "FailedCount", c.FailedCount}, assignment{totals + "FailedAmount", c.FailedAmount},
			assignment{totals + "CancelledCount", c.CancelledCount}, assignment{totals + "CancelledAmount", c.CancelledAmount}),
		overrides: c.overrides,
	})
}

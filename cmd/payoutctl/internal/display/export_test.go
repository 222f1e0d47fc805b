package display

import (
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/aws/dynamostore"
)

// PayoutTable returns the table that PrintPayouts prints.
func PayoutTable(style cli.Style, payouts []dynamostore.Stored, now time.Time) string {
	t := cli.Table{Style: style, Header: payoutHeader}
	for _, stored := range payouts {
		addPayout(&t, stored, now)
	}
	return t.String()
}

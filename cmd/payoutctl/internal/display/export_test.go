package display

import (
	"testing"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/provider"
)

// SetProvider has the package find this description for each provider until the test ends.
func SetProvider(t *testing.T, description provider.Description) {
	t.Helper()
	before := findProvider
	t.Cleanup(func() { findProvider = before })
	findProvider = func(cli.Provider) (provider.Description, error) { return description, nil }
}

// PayoutTable returns the table that PrintPayouts prints.
func PayoutTable(style cli.Style, payouts []dynamostore.Stored, now time.Time) string {
	t := cli.Table{Style: style, Header: payoutHeader}
	for _, stored := range payouts {
		addPayout(&t, stored, now)
	}
	return t.String()
}

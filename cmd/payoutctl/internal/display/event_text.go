package display

import (
	"fmt"
	"slices"
	"strconv"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/payout"
)

// EventFields returns names and values of the fields that an event sets.
func EventFields(style cli.Style, e payout.Event) [][2]string {
	number := func(n uint64) string {
		if n == 0 {
			return ""
		}
		return strconv.FormatUint(n, 10)
	}
	all := [][2]string{
		{"payout", cli.Clean(string(e.ID))}, {"status", string(e.Status)}, {"reason", style.Shorten(e.Reason)},
		{"amount", cli.FormatAmount(string(e.Amount), e.Currency)}, {"reference", cli.Clean(e.Reference)},
		{"chain", cli.Clean(e.Chain)}, {"token", cli.Clean(e.Token)}, {"from", style.Abbreviate(e.From)}, {"to", style.Abbreviate(e.To)},
		{"memo", style.Abbreviate(e.Memo)}, {"transaction", cli.Clean(e.TxID)}, {"block", number(e.BlockHeight)},
		{"block time", number(uint64(max(e.BlockTime, 0)))}, {"items", formatItems(e.Totals)},
	}
	return slices.DeleteFunc(all, func(f [2]string) bool { return f[1] == "" })
}

func formatItems(totals payout.Totals) string {
	if totals.All().Count == 0 {
		return ""
	}
	return fmt.Sprintf("%d: %d pending, %d succeeded, %d failed, %d cancelled", totals.All().Count,
		totals.Pending.Count, totals.Succeeded.Count, totals.Failed.Count, totals.Cancelled.Count)
}

package console_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"payout-callbacks/cmd/payoutctl/internal/console"
)

// An id becomes a link as a whole, or not at all.
func TestLinked_WholeIDs(t *testing.T) {
	for text, want := range map[string][]string{
		"released  held/pivot/payout/m/x_-y  →  pivot/payout/m/1/order-3.": {"/payouts/held/pivot/payout/m/x_-y", "/payouts/pivot/payout/m/1/order-3"},
		`"payout": "cregis/payout/1/1",`:                                   {"/payouts/cregis/payout/1/1"},
		"(cregis/payout/1/2): held":                                        {"/payouts/cregis/payout/1/2"},
		"cregis/payout/1/2/a:b is pending, cregis/payout/1/2/a(c)":         {"/payouts/cregis/payout/1/2/a:b"},
		`pivot/payout/m/1/"><script>`:                                      nil,
		"cregis/payout/1//order-7":                                         {"/payouts/cregis%2Fpayout%2F1%2F%2Forder-7"},
		"see: payoutctl --stack prod --region eu-west-1 dlq list":          {"/dead-letters"},
		"payoutctl --local payouts --status conflicted":                    {"/conflicts"},
		"payoutctl --local audits, cregis-payout, other/payout/1/2":        nil,
	} {
		var got []string
		joined := ""
		for _, segment := range console.Linked(text) {
			if joined += segment.Text; segment.Path != "" {
				got = append(got, segment.Path)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" || joined != text {
			t.Errorf("%s (-want +got):\n%s%s", text, diff, joined)
		}
	}
}

package sqsqueue_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"payout-callbacks/pkg/aws/sqsqueue"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/cregis"
	"payout-callbacks/pkg/provider/pivot"
	"payout-callbacks/pkg/testkit/providertest"
	"payout-callbacks/pkg/testkit/templatetest"
)

// sources are words of keys, and no statuses.
var sources = []payout.Status{"query", "expectation", "resolution", "reconciler"}

// FuzzMessage: whatever a callback says, the message of its receipt is read as
// that receipt; one that was not would end as a dead letter of nobody's.
func FuzzMessage(f *testing.F) {
	for _, provider := range []providertest.Provider{cregis.Provider{}, pivot.Provider{}} {
		vectors, err := providertest.Load(os.DirFS(filepath.Join(templatetest.Root(f), "pkg", "provider", provider.Name(), "testdata")))
		if err != nil {
			f.Fatal(err)
		}
		for _, vector := range vectors {
			if len(vector.Body) < 4<<10 {
				sender := callback.Sender{Account: "922e39ab-7565-49f6-b84f-fb56122821ae"}
				r := callback.NewReceipt(provider, provider.Restore(callback.NewRequest(vector.Type, nil, vector.Body), sender), now)
				f.Add(r.Event.ID.Account(), string(r.Event.Status), r.Event.Reference, r.Event.Reason+r.Note, string(r.Event.Amount), r.Event.TxID, r.Event.BlockHeight, r.Event.BlockTime, r.Body)
			}
		}
	}
	f.Fuzz(func(t *testing.T, account, status, reference, free, amount, txid string, height uint64, mined int64, body []byte) {
		// A status is one of our own words. The rest was read by a strict parser.
		texts := []*string{&account, &status, &reference, &free, &amount, &txid}
		for _, text := range texts {
			*text = strings.ToValidUTF8(*text, "?")
		}
		event := payout.Event{
			ID: payout.NewID("pivot", payout.TypePayout, account, "1", reference), Status: payout.Status(strings.ReplaceAll(status, "/", "")),
			Reference: reference, Reason: free, Amount: payout.Amount(amount), TxID: txid, BlockHeight: height, BlockTime: mined,
			Totals: payout.Totals{Pending: payout.Tally{Count: mined, Amount: "1.5"}},
		}
		if !event.Amount.IsValid() || slices.Contains(sources, event.Status) {
			return // no parser returns it
		}
		held := inbox.HeldCallback{Provider: "pivot", Type: payout.TypePayout, Account: account, Subject: body, Reason: status, Note: free, ProviderID: status, Reference: reference}
		stated := event
		stated.Source, stated.Deadline, stated.LinkedTo = payout.SourceReconciler, mined, payout.ID(free)
		for _, want := range []inbox.Receipt{
			inbox.NewReceipt(event, body, "0a1b2c3d", now),
			inbox.NewReceipt(stated, body, "", now),
			inbox.NewHeldReceipt(held, body, "", now),
			inbox.NewResolutionReceipt(payout.Resolution{ID: event.ID, Trusted: map[payout.Field]string{payout.FieldTxID: txid}, Replaces: []string{free}}, free, now),
		} {
			got, err := sqsqueue.Decode(encode(t, want))
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
		}
	})
}

package dynamostore

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/cregis"
	"payout-callbacks/pkg/provider/pivot"
	"payout-callbacks/pkg/testkit/providertest"
	"payout-callbacks/pkg/testkit/templatetest"
)

// writeUnit is the size, in bytes, that DynamoDB bills as one write unit.
const writeUnit = 1024

// The receipt of each documented example fits into one write unit, received and
// applied. The largest example has a body of 594 bytes.
func TestReceiptWriteUnits_DocumentedExamples(t *testing.T) {
	for _, example := range []struct {
		provider providertest.Provider
		name     string
		keys     callback.Keys
	}{
		{cregis.Provider{}, "payout-status-6", callback.Keys{"1382528827416576": {Current: "f502a9ac9ca54327986f29c03b271491"}}},
		{cregis.Provider{}, "sub-address-example", callback.Keys{"1382528827416576": {Current: "f502a9ac9ca54327986f29c03b271491"}}},
		{pivot.Provider{}, "bulk-done", callback.Keys{"922e39ab-7565-49f6-b84f-fb56122821ae": {Current: "a key"}}},
		{pivot.Provider{}, "single-success", callback.Keys{"922e39ab-7565-49f6-b84f-fb56122821ae": {Current: "a key"}}},
	} {
		received := exampleReceipt(t, example.provider, example.name, example.keys)
		if received.State != inbox.Received {
			t.Fatalf("%s is %s", example.name, received.State)
		}
		applied := received
		applied.State, applied.Outcome, applied.AppliedAt = inbox.Applied, payout.Changed, now
		for _, receipt := range []inbox.Receipt{received, applied} {
			encoded, err := encodeReceipt(receipt)
			if err != nil {
				t.Fatal(err)
			}
			size := itemSize(encoded)
			t.Logf("%s, %s: %d bytes, %d of them the body", example.name, receipt.State, size, len(receipt.Body))
			if size > writeUnit {
				t.Errorf("%s, %s: %d bytes are more than one write unit", example.name, receipt.State, size)
			}
		}
	}
}

func exampleReceipt(t *testing.T, provider providertest.Provider, name string, keys callback.Keys) inbox.Receipt {
	t.Helper()
	folder := filepath.Join(templatetest.Root(t), "pkg", "provider", provider.Name(), "testdata")
	vectors, err := providertest.Load(os.DirFS(folder))
	if err != nil {
		t.Fatal(err)
	}
	for _, vector := range vectors {
		if vector.Name != name {
			continue
		}
		body, header, err := vector.Signed(provider, keys)
		if err != nil {
			t.Fatal(err)
		}
		request := callback.NewRequest(vector.Type, header, body)
		verified, err := provider.Verify(request, keys)
		if err != nil {
			t.Fatal(err)
		}
		return callback.NewReceipt(provider, verified, time.UnixMilli(1795251600123))
	}
	t.Fatalf("vector %s is missing", name)
	return inbox.Receipt{}
}

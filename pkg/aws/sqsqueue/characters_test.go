package sqsqueue_test

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"payout-callbacks/pkg/aws/sqsqueue"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// sqsText matches the messages that SQS accepts:
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
var sqsText = regexp.MustCompile(`\A[\x{9}\x{A}\x{D}\x{20}-\x{D7FF}\x{E000}-\x{FFFD}\x{10000}-\x{10FFFF}]+\z`)

// edges has the characters around the bounds of those ranges.
var edges = []rune{
	0, 1, 8, '\t', '\n', 0xB, 0xC, '\r', 0xE, 0x1F, ' ', '"', '\\', '/', '<', 0x7F, 0x80, 0x9F, 0x2028, 0x2029,
	0xD7FF, 0xE000, 0xFDD0, 0xFEFF, 0xFFFC, 0xFFFD, 0xFFFE, 0xFFFF, 0x10000, 0x1FFFE, 0x1FFFF, 0x10FFFE, 0x10FFFF,
}

// wildReceipts returns a receipt of each kind, with the text in all fields that
// hold text.
func wildReceipts(text string) []inbox.Receipt {
	event := payout.Event{
		ID: payout.NewID("pivot", payout.TypePayout, text, text, text), Status: payout.Succeeded,
		Reference: text, Reason: text, Amount: "1.5", Currency: text, Chain: text, Token: text, From: text, To: text, Memo: text, TxID: text,
	}
	held := inbox.HeldCallback{
		Provider: "cregis", Type: payout.TypePayout, Account: text, Subject: []byte(text), Reason: text, Note: text,
	}
	decision := payout.Resolution{
		ID: event.ID, Trusted: map[payout.Field]string{payout.FieldMemo: text}, Rejected: map[payout.Field][]string{payout.FieldReference: {text}},
		Replaces: []string{text},
	}
	return []inbox.Receipt{
		inbox.NewReceipt(event, []byte(text), text, now),
		inbox.NewHeldReceipt(held, []byte(text), text, now),
		inbox.NewResolutionReceipt(decision, text, now),
	}
}

func checkMessage(t *testing.T, receipt inbox.Receipt) {
	t.Helper()
	text, err := sqsqueue.Encode(receipt)
	if err != nil || !utf8.ValidString(text) || !sqsText.MatchString(text) {
		t.Fatalf("SQS rejects the message: %v\n%+q", err, text)
	}
	got, err := sqsqueue.Decode(text)
	if diff := cmp.Diff(receipt, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
		t.Fatalf("%v\n%s", err, diff)
	}
}

// I1: if SQS rejected a message, an acknowledged callback would never be applied.
func TestEncode_CharactersOfSQS(t *testing.T) {
	t.Run("edges", func(t *testing.T) {
		for _, edge := range edges {
			for _, receipt := range wildReceipts("a" + string(edge) + "z") {
				checkMessage(t, receipt)
			}
		}
	})
	t.Run("random Unicode", func(t *testing.T) {
		random := rand.New(rand.NewPCG(1, 2)) // seeded, so that a failure is repeatable
		for range 1_000 {
			for _, receipt := range wildReceipts(randomText(random)) {
				checkMessage(t, receipt)
			}
		}
	})
	t.Run("basic plane", func(t *testing.T) {
		for block := range 0x100 {
			var text strings.Builder
			for low := range 0x100 {
				if r := rune(block<<8 | low); utf8.ValidRune(r) {
					text.WriteRune(r)
				}
			}
			for _, receipt := range wildReceipts(text.String()) {
				checkMessage(t, receipt)
			}
		}
	})
}

func randomText(random *rand.Rand) string {
	var text strings.Builder
	for range 1 + random.IntN(12) {
		switch r := rune(random.IntN(utf8.MaxRune + 1)); {
		case random.IntN(2) == 0:
			text.WriteRune(edges[random.IntN(len(edges))])
		case utf8.ValidRune(r):
			text.WriteRune(r)
		}
	}
	return text.String()
}

package inboxtest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// RunQueue runs the contract of inbox.Queue and inbox.DeadLetters.
func RunQueue(t *testing.T, newHarness func(t *testing.T) Harness) {
	for name, test := range map[string]func(*testing.T, Harness){
		"receipts":                    carriesReceipts,
		"many receipts in one call":   carriesMany,
		"characters that SQS rejects": carriesAnyText,
		"one unsendable receipt":      rejectsOne,
		"dead-letter messages":        handlesDeadLetters,
		"cancelled context":           failsCancelled,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newHarness(t))
		})
	}
}

func carriesReceipts(t *testing.T, h Harness) {
	want := []inbox.Receipt{
		received(event(1, payout.Succeeded), `{"a": 1}`),
		received(wholeEvent(), "\xff\x00 bytes"),
		received(event(2, payout.Succeeded), strings.Repeat("\x00", 64<<10)),
		heldReceipt("subject", []byte("\xff not text")),
		resolution(),
	}
	for _, receipt := range want {
		if err := h.Queue.Send(t.Context(), receipt); err != nil {
			t.Fatal(err)
		}
	}
	h.wantReceived(t, want)
}

func carriesMany(t *testing.T, h Harness) {
	var want []inbox.Receipt
	for n := range 23 {
		// Ten of these are as large as one SQS request may be.
		receipt := received(event(n, payout.Succeeded), strings.Repeat("x", 64<<10))
		receipt.Note = strings.Repeat("n", 16<<10)
		want = append(want, receipt)
	}
	if err := h.Queue.Send(t.Context(), want...); err != nil {
		t.Fatal(err)
	}
	h.wantReceived(t, want)
	if waiting, err := h.Queue.Waiting(t.Context()); err != nil || waiting != 0 {
		t.Errorf("waiting: got %d, %v, want 0", waiting, err)
	}
	if err := h.Queue.Send(t.Context()); err != nil {
		t.Errorf("no receipt: %v", err)
	}
}

// carriesAnyText sends the characters that SQS rejects in a message, and their
// neighbours.
func carriesAnyText(t *testing.T, h Harness) {
	var want []inbox.Receipt
	for n, r := range []rune{0, 8, 0xB, 0x1F, 0x7F, 0xD7FF, 0xE000, 0xFFFD, 0xFFFE, 0xFFFF, 0x10000, 0x1FFFF, 0x10FFFF} {
		want = append(want, received(event(n, payout.Succeeded, func(e *payout.Event) {
			e.Memo, e.Reason, e.Reference = "a"+string(r), string(r)+"z", string(r)
		}), string(r)))
	}
	for _, receipts := range [][]inbox.Receipt{want[:1], want[1:]} {
		if err := h.Queue.Send(t.Context(), receipts...); err != nil {
			t.Fatal(err)
		}
	}
	h.wantReceived(t, want)
}

func rejectsOne(t *testing.T, h Harness) {
	all := []inbox.Receipt{
		received(event(1, payout.Succeeded), "{}"),
		received(event(2, payout.Succeeded), strings.Repeat("x", 1<<20)), // longer than a message may be
		received(event(3, payout.Succeeded), "{}"),
	}
	var sendErrs inbox.SendError
	err := h.Queue.Send(t.Context(), all...)
	if !errors.As(err, &sendErrs) || len(sendErrs) != 1 || !errors.Is(sendErrs[1], inbox.ErrUnsendable) {
		t.Errorf("got %v, want only the second rejected as unsendable", err)
	}
	if err := h.Queue.Send(t.Context(), all[1]); !errors.Is(err, inbox.ErrUnsendable) {
		t.Errorf("alone: got %v, want it rejected as unsendable", err)
	}
	h.wantReceived(t, []inbox.Receipt{all[0], all[2]})
}

func (h Harness) wantReceived(t *testing.T, want []inbox.Receipt) {
	t.Helper()
	byKey := func(a, b inbox.Receipt) int { return a.Key.Compare(b.Key) }
	got := h.ReceiveAll(t)
	slices.SortFunc(want, byKey)
	slices.SortFunc(got, byKey)
	if diff := cmp.Diff(want, got, same); diff != "" {
		t.Errorf("sent and received:\n%s", diff)
	}
}

func handlesDeadLetters(t *testing.T, h Harness) {
	sent := received(event(1, payout.Succeeded), "{}")
	h.DeadLetter(t, &sent)
	h.DeadLetter(t, nil)
	deadLetters, err := h.DeadLetters.Receive(t.Context(), 10)
	if err != nil || len(deadLetters) != 2 {
		t.Fatalf("got %d messages, %v, want 2", len(deadLetters), err)
	}
	for _, deadLetter := range deadLetters {
		if deadLetter.Unreadable {
			err = h.DeadLetters.Return(t.Context(), deadLetter)
		} else {
			if diff := cmp.Diff(sent, deadLetter.Receipt, same); diff != "" {
				t.Errorf("receipt of the message:\n%s", diff)
			}
			err = h.DeadLetters.Delete(t.Context(), deadLetter)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	deadLetters, err = h.DeadLetters.Receive(t.Context(), 10)
	if err != nil || len(deadLetters) != 1 || !deadLetters[0].Unreadable {
		t.Errorf("got %v, %v, want only the unreadable one", deadLetters, err)
	}
}

func failsCancelled(t *testing.T, h Harness) {
	ctx, cancel := cancelled(t)
	defer cancel()
	if err := h.Queue.Send(ctx, received(event(1, payout.Succeeded), "{}")); err == nil {
		t.Error("send: no error")
	}
}

func cancelled(t *testing.T) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx, cancel
}

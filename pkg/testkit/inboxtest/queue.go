package inboxtest

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// RunQueue runs the queue's part of the contract.
func RunQueue(t *testing.T, newHarness func(t *testing.T) Harness) {
	for name, test := range map[string]func(*testing.T, Harness){
		"a receipt travels whole":                        carriesReceipts,
		"many receipts travel in one call":               carriesMany,
		"a receipt travels whole whatever it holds":      carriesAnyText,
		"a receipt that is refused holds up no other":    refusesOne,
		"a dead letter is read, deleted or returned":     handlesDeadLetters,
		"a cancelled context is a failure to be told of": refusesCancelled,
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
		decision(),
	}
	for _, receipt := range want {
		if err := h.Queue.Send(t.Context(), receipt); err != nil {
			t.Fatal(err)
		}
	}
	h.wantTaken(t, want)
}

func carriesMany(t *testing.T, h Harness) {
	var want []inbox.Receipt
	for n := range 23 {
		// Ten of these are as large as what SQS takes in one request.
		receipt := received(event(n, payout.Succeeded), strings.Repeat("x", 64<<10))
		receipt.Note = strings.Repeat("n", 16<<10)
		want = append(want, receipt)
	}
	if err := h.Queue.Send(t.Context(), want...); err != nil {
		t.Fatal(err)
	}
	h.wantTaken(t, want)
	if waiting, err := h.Queue.Waiting(t.Context()); err != nil || waiting != 0 {
		t.Errorf("waiting: got %d, %v, want 0", waiting, err)
	}
	if err := h.Queue.Send(t.Context()); err != nil {
		t.Errorf("nothing at all: %v", err)
	}
}

// carriesAnyText sends the characters that SQS does not take in a message, and
// their neighbours.
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
	h.wantTaken(t, want)
}

func refusesOne(t *testing.T, h Harness) {
	all := []inbox.Receipt{
		received(event(1, payout.Succeeded), "{}"),
		received(event(2, payout.Succeeded), strings.Repeat("x", 1<<20)), // no message may be that long
		received(event(3, payout.Succeeded), "{}"),
	}
	var refused inbox.SendErrors
	err := h.Queue.Send(t.Context(), all...)
	if !errors.As(err, &refused) || len(refused) != 1 || !errors.Is(refused[1], inbox.ErrUnsendable) {
		t.Errorf("got %v, want the second of three refused for what it is", err)
	}
	if err := h.Queue.Send(t.Context(), all[1]); !errors.Is(err, inbox.ErrUnsendable) {
		t.Errorf("alone: got %v, want it refused for what it is", err)
	}
	h.wantTaken(t, []inbox.Receipt{all[0], all[2]})
}

func (h Harness) wantTaken(t *testing.T, want []inbox.Receipt) {
	t.Helper()
	byKey := func(a, b inbox.Receipt) int {
		return cmp.Or(cmp.Compare(a.Key.Payout, b.Key.Payout), cmp.Compare(a.Key.Receipt, b.Key.Receipt))
	}
	got := h.ReceiveAll(t)
	slices.SortFunc(want, byKey)
	slices.SortFunc(got, byKey)
	if diff := gocmp.Diff(want, got, same); diff != "" {
		t.Errorf("sent and received:\n%s", diff)
	}
}

func handlesDeadLetters(t *testing.T, h Harness) {
	ours := received(event(1, payout.Succeeded), "{}")
	h.DeadLetter(t, &ours)
	h.DeadLetter(t, nil)
	deadLetters, err := h.DeadLetters.Receive(t.Context(), 10)
	if err != nil || len(deadLetters) != 2 {
		t.Fatalf("got %d letters, %v, want 2", len(deadLetters), err)
	}
	for _, deadLetter := range deadLetters {
		if deadLetter.Unreadable {
			err = h.DeadLetters.Return(t.Context(), deadLetter)
		} else {
			if diff := gocmp.Diff(ours, deadLetter.Receipt, same); diff != "" {
				t.Errorf("the letter's receipt:\n%s", diff)
			}
			err = h.DeadLetters.Delete(t.Context(), deadLetter)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	deadLetters, err = h.DeadLetters.Receive(t.Context(), 10)
	if err != nil || len(deadLetters) != 1 || !deadLetters[0].Unreadable {
		t.Errorf("got %v, %v, want the foreign one alone", deadLetters, err)
	}
}

func refusesCancelled(t *testing.T, h Harness) {
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

package callback_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/memory"
)

// toy is a provider with bodies like "KEY held" and "KEY succeeded".
type toy struct{}

func (toy) Name() string         { return "toy" }
func (toy) Types() []payout.Type { return []payout.Type{payout.TypePayout} }

func (p toy) Verify(request callback.Request, keys callback.Keys) (callback.Verified, error) {
	key, _, _ := strings.Cut(string(request.Body), " ")
	switch {
	case request.TooLarge():
		return callback.Verified{}, callback.ErrTooLarge
	case key == "":
		return callback.Verified{}, fmt.Errorf("no key: %w", callback.ErrMalformed)
	case string(keys["account"].Current) == key, string(keys["account"].Previous) == key:
		return p.Restore(request, callback.Sender{Account: "account", KeyID: callback.Key(key).ID()}), nil
	}
	return callback.Verified{}, keys["account"].Refusal()
}

func (toy) Restore(request callback.Request, sender callback.Sender) callback.Verified {
	return callback.NewVerified(request, sender, func() (payout.Event, *callback.Held) { return parseToy(request, sender) })
}

func parseToy(request callback.Request, sender callback.Sender) (payout.Event, *callback.Held) {
	_, status, _ := strings.Cut(string(request.Body), " ")
	if status == "held" {
		return payout.Event{}, &callback.Held{Reason: callback.ReasonStatus, Subject: request.Body}
	}
	return payout.Event{ID: payout.NewID("toy", request.Type, sender.Account, "1", ""), Status: payout.Status(status)}, nil
}

func (toy) Reply(verdict callback.Verdict) callback.Reply {
	codes := map[callback.Verdict]int{
		callback.Acknowledged: 200, callback.Unauthenticated: 401, callback.Malformed: 400, callback.TooLarge: 413, callback.Unavailable: 503,
	}
	return callback.Reply{Code: codes[verdict], Body: string(verdict)}
}

// keyring is a KeySource that a test controls.
type keyring struct {
	keys, fresh callback.Keys
	err         error
	refreshErr  error
	refreshes   int
}

func (k *keyring) Keys(context.Context) (callback.Keys, error) { return k.keys, k.err }

func (k *keyring) Refresh(context.Context) (callback.Keys, bool, error) {
	k.refreshes++
	return k.fresh, k.fresh != nil, k.refreshErr
}

func keyOf(key callback.Key) callback.Keys {
	return callback.Keys{"account": callback.AccountKeys{Current: key}}
}

type down struct{ inbox.Store }

func (down) Create(context.Context, inbox.Receipt) (inbox.Existing, error) {
	return inbox.Existing{}, errors.New("store is down")
}

type stuck struct{ inbox.Queue }

func (stuck) Send(context.Context, ...inbox.Receipt) error { return errors.New("queue is down") }

func TestHandle(t *testing.T) {
	downKeys := errors.New("secrets are down")
	flawed := callback.Keys{"account": {Flawed: true}}
	half := callback.Keys{"account": {Current: "k1", Flawed: true}}
	for _, test := range []struct {
		name                 string
		body                 string
		keys                 *keyring
		storeDown, queueDown bool
		want                 callback.Verdict
		as                   inbox.Acceptance
		receipts, queued     int
	}{
		{name: "authentic", body: "k1 succeeded", keys: &keyring{keys: keyOf("k1")}, want: callback.Acknowledged, as: inbox.AcceptedNew, receipts: 1, queued: 1},
		{name: "held", body: "k1 held", keys: &keyring{keys: keyOf("k1")}, want: callback.Acknowledged, as: inbox.AcceptedNew, receipts: 1},
		{name: "forged", body: "xx succeeded", keys: &keyring{keys: keyOf("k1")}, want: callback.Unauthenticated},
		{name: "malformed", body: "", keys: &keyring{keys: keyOf("k1")}, want: callback.Malformed},
		{name: "too large", body: strings.Repeat("x", callback.MaxBody+1), keys: &keyring{keys: keyOf("k1")}, want: callback.TooLarge},
		{name: "queue down", body: "k1 succeeded", keys: &keyring{keys: keyOf("k1")}, queueDown: true, want: callback.Acknowledged, as: inbox.AcceptedStoreOnly, receipts: 1},
		{name: "store down", body: "k1 succeeded", keys: &keyring{keys: keyOf("k1")}, storeDown: true, want: callback.Acknowledged, as: inbox.AcceptedQueueOnly, queued: 1},
		{name: "store down, held", body: "k1 held", keys: &keyring{keys: keyOf("k1")}, storeDown: true, want: callback.Acknowledged, as: inbox.AcceptedQueueOnly, queued: 1},
		{name: "both down", body: "k1 succeeded", keys: &keyring{keys: keyOf("k1")}, storeDown: true, queueDown: true, want: callback.Unavailable},
		{name: "no keys", body: "k1 succeeded", keys: &keyring{err: downKeys}, want: callback.Unavailable},
		{name: "a new key", body: "k2 succeeded", keys: &keyring{keys: keyOf("k1"), fresh: keyOf("k2")}, want: callback.Acknowledged, as: inbox.AcceptedNew, receipts: 1, queued: 1},
		{name: "forged under new keys too", body: "xx succeeded", keys: &keyring{keys: keyOf("k1"), fresh: keyOf("k2")}, want: callback.Unauthenticated},
		{name: "perhaps a new key, refresh fails", body: "k2 succeeded", keys: &keyring{keys: keyOf("k1"), refreshErr: downKeys}, want: callback.Unavailable},
		{name: "unusable keys", body: "k1 succeeded", keys: &keyring{keys: flawed}, want: callback.Unavailable},
		{name: "one of two keys is unusable", body: "k1 succeeded", keys: &keyring{keys: half}, want: callback.Acknowledged, as: inbox.AcceptedNew, receipts: 1, queued: 1},
		{name: "repaired keys", body: "k1 succeeded", keys: &keyring{keys: flawed, fresh: keyOf("k1")}, want: callback.Acknowledged, as: inbox.AcceptedNew, receipts: 1, queued: 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			store := &memory.Store{}
			queue := &memory.Queue{Now: time.Now, MaxReceives: 10}
			box := &inbox.Inbox{Store: store, Queue: queue, Now: time.Now}
			if test.storeDown {
				box.Store = down{}
			}
			if test.queueDown {
				box.Queue = stuck{}
			}
			handler := &callback.Handler{Provider: toy{}, Keys: test.keys, Inbox: box, Now: time.Now}
			result := handler.Handle(t.Context(), callback.NewRequest(payout.TypePayout, http.Header{}, []byte(test.body)))
			if result.Verdict != test.want || result.Reply != (toy{}).Reply(test.want) || result.Acceptance != test.as {
				t.Errorf("got %s %+v %q (%v), want %s %q", result.Verdict, result.Reply, result.Acceptance, result.Err, test.want, test.as)
			}
			live, _ := queue.Depth()
			if got := len(store.Receipts()); got != test.receipts || live != test.queued {
				t.Errorf("left behind: %d receipts and %d messages, want %d and %d", got, live, test.receipts, test.queued)
			}
		})
	}
}

func TestHandle_RefreshesKeysAfterRefusal(t *testing.T) {
	for body, want := range map[string]int{"k1 succeeded": 0, "": 0, "xx succeeded": 1} {
		keys := &keyring{keys: keyOf("k1")}
		box := &inbox.Inbox{Store: &memory.Store{}, Queue: &memory.Queue{Now: time.Now, MaxReceives: 10}, Now: time.Now}
		handler := &callback.Handler{Provider: toy{}, Keys: keys, Inbox: box, Now: time.Now}
		handler.Handle(t.Context(), callback.NewRequest(payout.TypePayout, http.Header{}, []byte(body)))
		if keys.refreshes != want {
			t.Errorf("%q: the keys were read again %d times, want %d", body, keys.refreshes, want)
		}
	}
}

// dated is a toy whose proof includes the time: it verifies requests of one instant.
type dated struct {
	toy
	at time.Time
}

func (d dated) Verify(request callback.Request, keys callback.Keys) (callback.Verified, error) {
	if !request.ReceivedAt().Equal(d.at) {
		return callback.Verified{}, callback.ErrUnauthenticated
	}
	return d.toy.Verify(request, keys)
}

// A provider reads no clock: it verifies at the time that the handler passes, which is
// that of the receipt.
func TestHandle_PassesTimeOfReceipt(t *testing.T) {
	at := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	now := func() time.Time { return at }
	box := &inbox.Inbox{Store: &memory.Store{}, Queue: &memory.Queue{Now: now, MaxReceives: 10}, Now: now}
	handler := &callback.Handler{Provider: dated{at: at}, Keys: &keyring{keys: keyOf("k1")}, Inbox: box, Now: now}
	result := handler.Handle(t.Context(), callback.NewRequest(payout.TypePayout, http.Header{}, []byte("k1 succeeded")))
	if result.Verdict != callback.Acknowledged || !result.Receipt.AcceptedAt.Equal(at) {
		t.Errorf("got %s (%v), accepted at %v", result.Verdict, result.Err, result.Receipt.AcceptedAt)
	}
}

func TestKey_PrintsRedacted(t *testing.T) {
	const canary = "canary"
	key := callback.Key(canary)
	request := callback.NewRequest(payout.TypePayout, http.Header{"X-Api-Key": {canary}}, []byte(canary))
	keys := callback.Keys{"a": {Current: key, Previous: key}}
	var builder strings.Builder
	fmt.Fprintf(&builder, "%v %+v %#v %s %q ", key, keys, keys, key, key)
	fmt.Fprint(&builder, key.LogValue(), request.LogValue())
	if strings.Contains(builder.String(), canary) {
		t.Errorf("printed: %s", builder.String())
	}
}

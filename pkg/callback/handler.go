package callback

import (
	"context"
	"errors"
	"net/http"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// KeySource hands out a provider's keys. It is safe for concurrent use.
type KeySource interface {
	// Keys returns the keys as last read, and reads them if necessary. An error
	// means that no request can be verified: our fault, never the sender's.
	Keys(ctx context.Context) (Keys, error)
	// Refresh reads the keys again, unless it has just read them, and reports
	// whether they may have changed. An error means that this is unknown.
	Refresh(ctx context.Context) (keys Keys, changed bool, err error)
}

// Handler handles the callbacks of one provider. All fields are required. It is safe
// for concurrent use.
type Handler struct {
	Provider Provider
	Keys     KeySource
	Inbox    *inbox.Inbox
	Now      func() time.Time
}

// Result is the reply to a request, and what logs and metrics report about it.
type Result struct {
	Reply      Reply
	Verdict    Verdict
	Sender     Sender           // of an authentic request
	Claimed    string           // the account that a refused request names, see Claimant
	Receipt    inbox.Receipt    // of an authentic request
	Acceptance inbox.Acceptance // of an acknowledged request
	// Err is why the request was refused, or an error despite its acknowledgement.
	Err error
}

// Handle verifies, parses and accepts the request, in this order, and returns the
// reply. It acknowledges only a durable receipt.
func (h *Handler) Handle(ctx context.Context, request Request) Result {
	now := h.Now()
	verified, err := h.verify(ctx, request.WithReceivedAt(now))
	if err != nil {
		verdict := VerdictFor(err)
		return Result{Reply: h.Provider.Reply(verdict), Verdict: verdict, Claimed: h.claimedAccount(request, verdict), Err: err}
	}
	sender, receipt := verified.Sender, NewReceipt(h.Provider, verified, now)
	accepted, err := h.Inbox.Accept(ctx, receipt)
	if err != nil {
		return Result{Reply: h.Provider.Reply(Unavailable), Verdict: Unavailable, Sender: sender, Receipt: receipt, Err: err}
	}
	return Result{
		Reply:      h.Provider.Reply(Acknowledged),
		Verdict:    Acknowledged,
		Sender:     sender,
		Receipt:    receipt,
		Acceptance: accepted.Acceptance,
		Err:        accepted.Fault,
	}
}

// claimedAccount returns the account that a refused request names.
func (h *Handler) claimedAccount(request Request, verdict Verdict) string {
	claimant, ok := h.Provider.(Claimant)
	if !ok || verdict == Unavailable {
		return ""
	}
	return claimant.ClaimedAccount(request)
}

// verify tries the keys as last read. If they fail it reads the keys again: a key may
// have changed since.
func (h *Handler) verify(ctx context.Context, request Request) (Verified, error) {
	keys, err := h.Keys.Keys(ctx)
	if err != nil {
		return Verified{}, err
	}
	verified, err := h.Provider.Verify(request, keys)
	if !errors.Is(err, ErrUnauthenticated) && !errors.Is(err, ErrUnusableKeys) {
		return verified, err
	}
	fresh, changed, refreshErr := h.Keys.Refresh(ctx)
	switch {
	case refreshErr != nil:
		// The sender may be authentic and our keys out of date.
		return Verified{}, refreshErr
	case !changed:
		return Verified{}, err
	}
	return h.Provider.Verify(request, fresh)
}

// NewReceipt parses a verified callback into its receipt: received, or held
// if the provider does not understand the callback.
func NewReceipt(provider Provider, verified Verified, now time.Time) inbox.Receipt {
	request, sender := verified.Request, verified.Sender
	event, held := verified.Event()
	if held == nil {
		return inbox.NewReceipt(event, request.Body, sender.KeyID, now)
	}
	return inbox.NewHeldReceipt(inbox.HeldCallback{
		Provider: provider.Name(),
		Type:     request.Type,
		Account:  sender.Account,
		Subject:  held.Subject,
		Reason:   string(held.Reason),
		Note:     held.Note,

		ProviderID: held.ProviderID,
		Reference:  held.Reference,
	}, request.Body, sender.KeyID, now)
}

// Reparse parses a held callback with the current code of its provider and returns
// the resulting receipt: received, or still held. A body that was cut, or altered
// before it was delivered, stays held whatever it contains. The receipt keeps the time
// at which the callback was accepted, and is due soon after now.
func Reparse(provider Provider, held inbox.Receipt, now time.Time) inbox.Receipt {
	if !isWhole(held) {
		return held
	}
	request := NewRequest(held.Type(), http.Header{}, held.Body)
	verified := provider.Restore(request, Sender{Account: held.Account(), KeyID: held.KeyID})
	parsed := NewReceipt(provider, verified, held.AcceptedAt)
	if parsed.State == inbox.Received {
		parsed.DueAt = now.UTC().Truncate(time.Millisecond).Add(inbox.FirstDue)
	}
	return parsed
}

// isWhole reports whether the body of a held callback is certainly the body that was
// sent. An answer to a query is not a callback. The receipt does not record how the body was delivered, so an unreadable body
// with U+FFFD counts as altered.
func isWhole(held inbox.Receipt) bool {
	switch {
	case held.Source() != payout.SourceCallback:
		return false
	case Reason(held.Reason) == ReasonTooLarge:
		return false
	case Reason(held.Reason) == ReasonUnreadable:
		return !hasReplacement(held.Body)
	}
	return true
}

// VerdictFor returns the verdict on a request whose verification or acceptance
// failed with the error.
func VerdictFor(err error) Verdict {
	switch {
	case errors.Is(err, ErrUnauthenticated):
		return Unauthenticated
	case errors.Is(err, ErrMalformed):
		return Malformed
	case errors.Is(err, ErrTooLarge):
		return TooLarge
	}
	return Unavailable
}

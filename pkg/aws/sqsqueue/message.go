package sqsqueue

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// ErrUnreadable means that this version cannot read a message: another program
// wrote it, or a later version.
var ErrUnreadable = errors.New("unreadable message")

// A message has the lowest version that can hold its receipt: version 2 adds other
// sources than callbacks, and the reference of a held callback. A reader of version n
// reads all versions up to n; it is deployed before the first writer of version n.
const (
	callbackVersion = 1
	schemaVersion   = 2
)

// message is the JSON of a receipt. The key contains the event's ID and status.
type message struct {
	Version    int                `json:"v"`
	Payout     string             `json:"payout"`
	Receipt    string             `json:"receipt"`
	State      inbox.State        `json:"state"`
	AcceptedAt int64              `json:"acceptedAt"` // milliseconds since 1970
	KeyID      string             `json:"keyId,omitempty"`
	Body       []byte             `json:"body,omitempty"` // base64
	Event      *event             `json:"event,omitempty"`
	Decision   *payout.Resolution `json:"decision,omitempty"`
	Reason     string             `json:"reason,omitempty"`
	Note       string             `json:"note,omitempty"`
	ProviderID string             `json:"providerId,omitempty"` // of a held callback
	Reference  string             `json:"reference,omitempty"`  // of a held callback
}

type event struct {
	Reference   string         `json:"reference,omitempty"`
	Reason      string         `json:"reason,omitempty"`
	Amount      payout.Amount  `json:"amount,omitempty"`
	Currency    string         `json:"currency,omitempty"`
	Chain       string         `json:"chain,omitempty"`
	Token       string         `json:"token,omitempty"`
	From        string         `json:"from,omitempty"`
	To          string         `json:"to,omitempty"`
	Memo        string         `json:"memo,omitempty"`
	TxID        string         `json:"txid,omitempty"`
	BlockHeight uint64         `json:"block,omitempty"`
	BlockTime   int64          `json:"blockTime,omitempty"`
	Totals      *payout.Totals `json:"totals,omitempty"`
	Deadline    int64          `json:"deadline,omitempty"` // milliseconds since 1970
	LinkedTo    payout.ID      `json:"linkedTo,omitempty"`
}

// Encode returns the message with a receipt. It has no character that SQS rejects,
// whatever the receipt holds.
func Encode(r inbox.Receipt) (string, error) {
	m := message{
		Version:    versionFor(r),
		Payout:     r.Key.Payout,
		Receipt:    r.Key.Receipt,
		State:      r.State,
		AcceptedAt: r.AcceptedAt.UnixMilli(),
		KeyID:      r.KeyID,
		Body:       r.Body,
		Decision:   r.Resolution,
		Reason:     r.Reason,
		Note:       r.Note,
		ProviderID: r.ProviderID,
		Reference:  r.Reference,
	}
	if r.State != inbox.Held && r.Resolution == nil {
		m.Event = encodeEvent(r.Event)
	}
	text, err := json.Marshal(m)
	if err != nil {
		return "", fmt.Errorf("encode message: %w", err)
	}
	return escape(string(text)), nil
}

func versionFor(r inbox.Receipt) int {
	if r.Resolution == nil && r.Source() != payout.SourceCallback || r.Reference != "" {
		return schemaVersion
	}
	return callbackVersion
}

// escape replaces the characters that SQS rejects by JSON escapes. In JSON, they
// occur in strings only.
func escape(text string) string {
	if !strings.ContainsFunc(text, isRejected) {
		return text
	}
	var escaped strings.Builder
	for _, r := range text {
		if isRejected(r) {
			fmt.Fprintf(&escaped, `\u%04x`, r)
			continue
		}
		escaped.WriteRune(r)
	}
	return escaped.String()
}

// isRejected reports whether SQS rejects messages with the character, by
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
// (read 2026-11-27). It accepts all characters above U+FFFF.
func isRejected(r rune) bool {
	switch {
	case r < ' ':
		return r != '\t' && r != '\n' && r != '\r'
	case r >= 0xD800 && r <= 0xDFFF:
		return true
	}
	return r == 0xFFFE || r == 0xFFFF
}

func encodeEvent(e payout.Event) *event {
	encoded := &event{
		Reference: e.Reference, Reason: e.Reason, Amount: e.Amount, Currency: e.Currency,
		Chain: e.Chain, Token: e.Token, From: e.From, To: e.To, Memo: e.Memo, TxID: e.TxID,
		BlockHeight: e.BlockHeight, BlockTime: e.BlockTime, Deadline: e.Deadline, LinkedTo: e.LinkedTo,
	}
	if e.Totals != (payout.Totals{}) {
		encoded.Totals = &e.Totals
	}
	return encoded
}

// Decode returns the receipt of a message, due as if it had been stored when it was
// accepted. Its error never holds a part of the text.
func Decode(text string) (inbox.Receipt, error) {
	var m message
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	if err := decoder.Decode(&m); err != nil || decoder.More() {
		return inbox.Receipt{}, fmt.Errorf("%w: invalid JSON", ErrUnreadable)
	}
	if m.Version < 1 || m.Version > schemaVersion {
		return inbox.Receipt{}, fmt.Errorf("%w: schema version %d, this version reads up to %d", ErrUnreadable, m.Version, schemaVersion)
	}
	r := inbox.Receipt{
		Key:        inbox.Key{Payout: m.Payout, Receipt: m.Receipt},
		State:      m.State,
		AcceptedAt: time.UnixMilli(m.AcceptedAt).UTC(),
		KeyID:      m.KeyID,
		Body:       m.Body,
		Resolution: m.Decision,
		Reason:     m.Reason,
		Note:       m.Note,
		ProviderID: m.ProviderID,
		Reference:  m.Reference,
	}
	if m.Event != nil {
		r.Event = m.Event.decode(r.Key)
	}
	switch r.State {
	case inbox.Received:
		r.DueAt = r.AcceptedAt.Add(inbox.FirstDue)
	case inbox.Held:
		r.Query = r.FirstQuery()
	case inbox.Applied, inbox.Released, inbox.Dismissed, inbox.Answered:
	}
	if r.State != inbox.Received && r.State != inbox.Held || !r.HasValidKey() {
		return inbox.Receipt{}, fmt.Errorf("%w: the key does not match the content", ErrUnreadable)
	}
	return r, nil
}

func (e event) decode(key inbox.Key) payout.Event {
	decoded := key.Event()
	decoded.Reference, decoded.Reason, decoded.Amount, decoded.Currency = e.Reference, e.Reason, e.Amount, e.Currency
	decoded.Chain, decoded.Token, decoded.From, decoded.To, decoded.Memo, decoded.TxID = e.Chain, e.Token, e.From, e.To, e.Memo, e.TxID
	decoded.BlockHeight, decoded.BlockTime, decoded.Deadline, decoded.LinkedTo = e.BlockHeight, e.BlockTime, e.Deadline, e.LinkedTo
	if e.Totals != nil {
		decoded.Totals = *e.Totals
	}
	return decoded
}

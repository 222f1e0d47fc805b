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

// errForeign means that a message is not one that this version can read.
var ErrUnreadable = errors.New("not a message of ours")

// schemaVersion is written to every message. A reader of version n reads all
// versions up to n, and is deployed before the first writer of it.
const schemaVersion = 1

// message is a receipt on its way. An event's ID and status stand in the key.
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
}

// Encode returns the text of the message that carries the receipt. It has no
// character that SQS refuses, whatever the receipt's texts hold.
func Encode(r inbox.Receipt) (string, error) {
	m := message{
		Version:    schemaVersion,
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

// escape writes the characters that SQS refuses as JSON escapes. In a JSON text
// they can stand in strings only.
func escape(text string) string {
	if !strings.ContainsFunc(text, isRefused) {
		return text
	}
	var escaped strings.Builder
	for _, r := range text {
		if isRefused(r) {
			fmt.Fprintf(&escaped, `\u%04x`, r)
			continue
		}
		escaped.WriteRune(r)
	}
	return escaped.String()
}

// isRefused reports whether SQS takes no message with the character, by
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
// (read 2026-11-27). All characters above U+FFFF are taken.
func isRefused(r rune) bool {
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
		BlockHeight: e.BlockHeight, BlockTime: e.BlockTime,
	}
	if e.Totals != (payout.Totals{}) {
		encoded.Totals = &e.Totals
	}
	return encoded
}

// Decode returns the receipt that a message carries: as it was accepted, due as
// if it had been put then. Its error never holds any of the text.
func Decode(text string) (inbox.Receipt, error) {
	var m message
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	if err := decoder.Decode(&m); err != nil || decoder.More() {
		return inbox.Receipt{}, fmt.Errorf("%w: not JSON of its form", ErrUnreadable)
	}
	if m.Version < 1 || m.Version > schemaVersion {
		return inbox.Receipt{}, fmt.Errorf("%w: schema version %d, this program knows up to %d", ErrUnreadable, m.Version, schemaVersion)
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
	}
	if m.Event != nil {
		status, _, _ := strings.Cut(m.Receipt, "/")
		r.Event = m.Event.decode(payout.ID(m.Payout), payout.Status(status))
	}
	if r.State == inbox.Received {
		r.DueAt = r.AcceptedAt.Add(inbox.FirstDue)
	}
	if r.State != inbox.Received && r.State != inbox.Held || !r.HasValidKey() {
		return inbox.Receipt{}, fmt.Errorf("%w: it does not say what its key does", ErrUnreadable)
	}
	return r, nil
}

func (e event) decode(id payout.ID, status payout.Status) payout.Event {
	decoded := payout.Event{
		ID: id, Status: status,
		Reference: e.Reference, Reason: e.Reason, Amount: e.Amount, Currency: e.Currency,
		Chain: e.Chain, Token: e.Token, From: e.From, To: e.To, Memo: e.Memo, TxID: e.TxID,
		BlockHeight: e.BlockHeight, BlockTime: e.BlockTime,
	}
	if e.Totals != nil {
		decoded.Totals = *e.Totals
	}
	return decoded
}

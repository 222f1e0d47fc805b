package payout

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strconv"
)

// Event is an immutable, normalised statement about one payout or batch. The zero
// value of a field means that the source did not state it: null, "" and absent are
// the same.
type Event struct {
	ID          ID
	Source      Source // "" is SourceCallback
	Reference   string // ours: Cregis third_party_id, Pivot referenceId
	Status      Status
	Reason      string // the provider's explanation of the status; free text
	Amount      Amount
	Currency    string
	Chain       string
	Token       string
	From        string // sender's address
	To          string // recipient's address
	Memo        string
	TxID        string
	BlockHeight uint64
	BlockTime   int64  // milliseconds since 1970, as the provider states it
	Totals      Totals // of a batch; zero for a payout
	Deadline    int64  // of an expectation: when the payout should be final, in milliseconds since 1970
	LinkedTo    ID     // of status Linked: the payout with the provider's id
}

// StatedBy returns the source of the event.
func (e Event) StatedBy() Source { return cmp.Or(e.Source, SourceCallback) }

// TextField is a field of an Event that holds text.
type TextField struct {
	Name  Field
	Value *string // points into the event
}

// fieldReason names the one text field that is not a claim.
const fieldReason Field = "reason"

// TextFields lists the text fields of the event but for its ID, in the order in
// which Fingerprint reads them. Writing to a Value sets the field.
func (e *Event) TextFields() []TextField {
	return []TextField{
		{FieldReference, &e.Reference},
		{FieldStatus, (*string)(&e.Status)},
		{fieldReason, &e.Reason},
		{FieldAmount, (*string)(&e.Amount)},
		{FieldCurrency, &e.Currency},
		{FieldChain, &e.Chain},
		{FieldToken, &e.Token},
		{FieldFrom, &e.From},
		{FieldTo, &e.To},
		{FieldMemo, &e.Memo},
		{FieldTxID, &e.TxID},
	}
}

// fingerprintVersion changes when the list of covered values does.
const fingerprintVersion = "1"

// Fingerprint identifies the event's meaning: it covers exactly the values that
// [Record.Apply] reads. Two events with the same Fingerprint are the same
// statement, however often and with whatever signature they arrive. It is a
// version, then the first 128 bits of SHA-256 over the length-prefixed values, in
// base64url.
func (e Event) Fingerprint() string {
	values := []string{string(e.ID)}
	for _, field := range e.TextFields() {
		values = append(values, *field.Value)
	}
	values = append(values, strconv.FormatUint(e.BlockHeight, 10), formatCount(e.BlockTime))
	for _, tally := range []Tally{e.Totals.Pending, e.Totals.Succeeded, e.Totals.Failed, e.Totals.Cancelled} {
		values = append(values, tally.text())
	}
	if source := e.StatedBy(); source != SourceCallback || e.Deadline != 0 || e.LinkedTo != "" { // what no callback has
		values = append(values, string(source), formatCount(e.Deadline), string(e.LinkedTo))
	}
	return fingerprint(values...)
}

// fingerprint hashes values. Each is preceded by its length, so that no two
// different lists hash the same bytes.
func fingerprint(values ...string) string {
	hash := sha256.New()
	for _, value := range values {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(value)))
		hash.Write(length[:])
		hash.Write([]byte(value))
	}
	return fingerprintVersion + base64.RawURLEncoding.EncodeToString(hash.Sum(nil)[:16])
}

package payout

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strconv"
)

// Event is an immutable, normalised fact that a provider told about one payout
// or batch. The zero value of a field means that the provider did not tell it:
// null, "" and absent are one.
type Event struct {
	ID          ID     // which payout or batch
	Reference   string // ours: Cregis third_party_id, Pivot referenceId
	Status      Status
	Reason      string // why, in the provider's words; free text
	Amount      Amount
	Currency    string
	Chain       string
	Token       string
	From        string // sender's address
	To          string // recipient's address
	Memo        string
	TxID        string
	BlockHeight uint64
	BlockTime   int64  // milliseconds since 1970, as the provider tells it
	Totals      Totals // of a batch; zero for a payout
}

// Totals says how many items of a batch stand where.
type Totals struct {
	Pending   Tally `json:"pending"`
	Succeeded Tally `json:"succeeded"`
	Failed    Tally `json:"failed"`
	Cancelled Tally `json:"cancelled"`
}

// Valid reports whether all amounts can be reckoned with; see [Amount.Valid].
func (t Totals) IsValid() bool {
	return t.Pending.Amount.IsValid() && t.Succeeded.Amount.IsValid() && t.Failed.Amount.IsValid() && t.Cancelled.Amount.IsValid()
}

// Tally is a number of items and the sum of their amounts.
type Tally struct {
	Count  int64  `json:"count"`
	Amount Amount `json:"amount"`
}

// Settled reports the items that are no longer pending.
func (t Totals) Settled() Tally {
	return t.Succeeded.add(t.Failed).add(t.Cancelled)
}

// All reports all items of the batch.
func (t Totals) All() Tally { return t.Settled().add(t.Pending) }

func (t Tally) add(other Tally) Tally {
	return Tally{Count: t.Count + other.Count, Amount: t.Amount.Add(other.Amount)}
}

// fingerprintVersion changes when the list of covered values does.
const fingerprintVersion = "1"

// Fingerprint identifies the event's meaning: it covers exactly the values
// that [Record.Apply] reads, no more and no less. Two events with one ID and
// one Fingerprint are the same fact, however often and under whatever
// signature they are told. It is a version, then the first 128 bits of SHA-256
// over the length-prefixed values, in base64url.
func (e Event) Fingerprint() string {
	return fingerprint(
		string(e.ID), e.Reference, string(e.Status), e.Reason,
		string(e.Amount), e.Currency, e.Chain, e.Token, e.From, e.To, e.Memo, e.TxID,
		strconv.FormatUint(e.BlockHeight, 10), strconv.FormatInt(e.BlockTime, 10),
		e.Totals.Pending.text(), e.Totals.Succeeded.text(),
		e.Totals.Failed.text(), e.Totals.Cancelled.text(),
	)
}

func (t Tally) text() string {
	amount := t.Amount
	if amount == "" {
		amount = "0"
	}
	return strconv.FormatInt(t.Count, 10) + " " + string(amount)
}

// fingerprint hashes values so that no two different lists of them share one
// input: each is preceded by its length.
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

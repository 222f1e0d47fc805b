package dynamostore

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"strconv"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// shards is the number of index partitions for each state. A partition takes
// 1,000 writes a second, and a callback costs two.
const shards = 16

// maxAttributes is the number of attributes of a receipt with all fields.
const maxAttributes = 28

// encodeReceipt returns the receipt as an item. It does not repeat what the key
// contains, the payout's id and the event's status, so that the documented examples
// fit into one write unit with their raw body. The schema version is the first
// character of the fingerprint in the key.
func encodeReceipt(r inbox.Receipt) (item, error) {
	i := make(item, maxAttributes)
	i.setText("payout", r.Key.Payout)
	i.setText("receipt", r.Key.Receipt)
	i.setText("state", string(r.State))
	i.setTime("acceptedAt", r.AcceptedAt)
	i.setTime("appliedAt", r.AppliedAt)
	if r.Outcome != payout.Changed {
		i.setText("outcome", string(r.Outcome)) // changed, the usual outcome, is left out to save bytes of a write unit
	}
	i.setText("keyId", r.KeyID)
	i.setText("note", r.Note)
	setBody(i, r.Body)
	switch r.State {
	case inbox.Received:
		i.setText("dueShard", dueShard(r.Key, r.State))
		i.setTime("dueAt", r.DueAt)
	case inbox.Held:
		encodeHeldSchedule(i, r.Key, r.Query, r.AcceptedAt)
	case inbox.Released, inbox.Dismissed, inbox.Answered:
		i.setChild("changedBy", encodeChangedBy(r.ChangedBy))
		i.setChild("releasedAs", encodeKey(r.ReleasedAs))
	}
	if r.WasHeld() {
		i.setText("reason", r.Reason)
		i.setText("providerId", r.ProviderID)
		i.setText("reference", r.Reference)
		return i, nil
	}
	if r.Resolution != nil {
		decision, err := json.Marshal(r.Resolution)
		if err != nil {
			return nil, fmt.Errorf("encode resolution: %w", err)
		}
		i.setText("decision", string(decision))
		return i, nil
	}
	encodeEvent(i, r.Event)
	return i, nil
}

func encodeEvent(i item, e payout.Event) {
	for _, field := range e.TextFields() {
		if field.Name != payout.FieldStatus { // the key has it
			i.setText(string(field.Name), *field.Value)
		}
	}
	if e.BlockHeight != 0 {
		i["blockHeight"] = &types.AttributeValueMemberN{Value: strconv.FormatUint(e.BlockHeight, 10)}
	}
	i.setInt("blockTime", e.BlockTime)
	i.setChild("totals", encodeTotals(e.Totals))
	i.setInt("deadline", e.Deadline)
	i.setText("linkedTo", string(e.LinkedTo))
}

// decodeReceipt returns the receipt that an item holds. It fails if the key does
// not follow from the other attributes: the item is damaged, or a later version
// wrote it.
func decodeReceipt(i item) (inbox.Receipt, error) {
	r := inbox.Receipt{
		Key:        inbox.Key{Payout: i.text("payout"), Receipt: i.text("receipt")},
		State:      inbox.State(i.text("state")),
		AcceptedAt: i.time("acceptedAt"),
		AppliedAt:  i.time("appliedAt"),
		Outcome:    payout.Outcome(i.text("outcome")),
		KeyID:      i.text("keyId"),
		Note:       i.text("note"),
		Body:       body(i),
	}
	switch {
	case r.WasHeld():
		r.Reason, r.ProviderID, r.Reference = i.text("reason"), i.text("providerId"), i.text("reference")
		r.ReleasedAs, r.ChangedBy = decodeKey(i.child("releasedAs")), decodeChangedBy(i.child("changedBy"))
	case i.text("decision") != "":
		r.Resolution = new(payout.Resolution)
		if err := json.Unmarshal([]byte(i.text("decision")), r.Resolution); err != nil {
			return r, fmt.Errorf("decode receipt %s: resolution: %w", r.Key.Receipt, errors.Join(inbox.ErrDamagedReceipt, err))
		}
	default:
		r.Event = decodeEvent(r.Key, i)
	}
	switch {
	case r.State == inbox.Received:
		r.DueAt = i.time("dueAt")
	case r.State == inbox.Held:
		r.Query = decodeHeldSchedule(i)
	case r.State == inbox.Applied && r.Outcome == "":
		r.Outcome = payout.Changed
	}
	if !r.HasValidKey() {
		return r, fmt.Errorf("decode receipt %s: the key does not match the content: %w", r.Key.Receipt, inbox.ErrDamagedReceipt)
	}
	return r, nil
}

func decodeEvent(key inbox.Key, i item) payout.Event {
	e := key.Event()
	for _, field := range e.TextFields() {
		if field.Name != payout.FieldStatus {
			*field.Value = i.text(string(field.Name))
		}
	}
	e.BlockHeight, e.BlockTime = i.uint("blockHeight"), i.int("blockTime")
	e.Totals = decodeTotals(i.child("totals"))
	e.Deadline, e.LinkedTo = i.int("deadline"), payout.ID(i.text("linkedTo"))
	return e
}

func encodeChangedBy(c inbox.ChangedBy) item {
	i := item{}
	i.setText("by", c.By)
	i.setText("reason", c.Reason)
	i.setTime("at", c.At)
	return i
}

func decodeChangedBy(i item) inbox.ChangedBy {
	return inbox.ChangedBy{By: i.text("by"), Reason: i.text("reason"), At: i.time("at")}
}

func encodeKey(k inbox.Key) item {
	i := item{}
	i.setText("payout", k.Payout)
	i.setText("receipt", k.Receipt)
	return i
}

func decodeKey(i item) inbox.Key {
	return inbox.Key{Payout: i.text("payout"), Receipt: i.text("receipt")}
}

// dueShard returns the index partition of a receipt.
func dueShard(key inbox.Key, state inbox.State) string { return shard(state, shardNumber(key)) }

func shardNumber(key inbox.Key) int {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(key.Payout)) // never fails
	_, _ = hash.Write([]byte(key.Receipt))
	return int(hash.Sum32() % shards)
}

// shard returns the name of an index partition. For received receipts it is only
// the number: a longer name would cost the largest documented example a second
// write unit.
func shard(state inbox.State, n int) string {
	if state == inbox.Received {
		return strconv.Itoa(n)
	}
	return string(state) + "/" + strconv.Itoa(n)
}

// setBody stores a body as a string if it is valid UTF-8, so that people can read
// it in the console, else as binary.
func setBody(i item, body []byte) {
	switch {
	case len(body) == 0:
	case utf8.Valid(body):
		i["body"] = text(string(body))
	default:
		i["body"] = &types.AttributeValueMemberB{Value: body}
	}
}

func body(i item) []byte {
	switch value := i["body"].(type) {
	case *types.AttributeValueMemberS:
		return []byte(value.Value)
	case *types.AttributeValueMemberB:
		return value.Value
	}
	return nil
}

func encodeTotals(t payout.Totals) item {
	if t == (payout.Totals{}) {
		return nil // only batches have totals
	}
	i := item{}
	for name, tally := range map[string]payout.Tally{
		"pending": t.Pending, "succeeded": t.Succeeded, "failed": t.Failed, "cancelled": t.Cancelled,
	} {
		if tally != (payout.Tally{}) {
			i[name] = &types.AttributeValueMemberL{Value: []types.AttributeValue{number(tally.Count), text(string(tally.Amount))}}
		}
	}
	return i
}

func decodeTotals(i item) payout.Totals {
	return payout.Totals{
		Pending:   decodeTally(i["pending"]),
		Succeeded: decodeTally(i["succeeded"]),
		Failed:    decodeTally(i["failed"]),
		Cancelled: decodeTally(i["cancelled"]),
	}
}

func decodeTally(value types.AttributeValue) payout.Tally {
	list, ok := value.(*types.AttributeValueMemberL)
	if !ok || len(list.Value) != 2 {
		return payout.Tally{}
	}
	pair := item{"count": list.Value[0], "amount": list.Value[1]}
	return payout.Tally{Count: pair.int("count"), Amount: payout.Amount(pair.text("amount"))}
}

package dynamostore

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// A record has the lowest version that can hold it: version 2 adds other sources than
// callbacks. A reader of version n reads all versions up to n; it is deployed before the
// first writer of version n.
const (
	callbackVersion = 1
	schemaVersion   = 2
)

// derived lists the attributes that encodeRecord derives from a record, for people,
// indexes and readers of the stream.
var derived = []string{"status", "reference", "conflicted", "expected", "confirmed", "overdue"}

// encodeRecord returns the record as an item, with the derived attributes; updatedAt is
// the time of the write, which is not part of a record.
func encodeRecord(r payout.Record, now time.Time) (item, error) {
	i := item{"payout": text(string(r.ID)), "v": number(callbackVersion), "version": number(r.Version)}
	i.setText("status", string(r.Status()))
	i.setText("reference", r.Value(payout.FieldReference))
	i.setTime("updatedAt", now)
	if r.Status() == payout.Conflicted {
		i.setText("conflicted", string(payout.Conflicted))
	}
	i.setText("progress", string(r.Progress))
	i.setChild("claims", encodeClaims(r.Claims))
	reasons := item{}
	for status, reason := range r.Reasons {
		reasons.setText(string(status), reason)
	}
	i.setChild("reasons", reasons)
	if r.BlockHeight != 0 {
		i["blockHeight"] = &types.AttributeValueMemberN{Value: strconv.FormatUint(r.BlockHeight, 10)}
	}
	i.setInt("blockTime", r.BlockTime)
	i.setChild("settled", encodeTotals(r.Settled))
	resolutions := item{}
	for key, decision := range r.Resolutions {
		encoded, err := json.Marshal(decision)
		if err != nil {
			return nil, fmt.Errorf("encode resolution: %w", err)
		}
		resolutions[key] = text(string(encoded))
	}
	i.setChild("resolutions", resolutions)
	if !slices.Equal(r.Sources, onlyCallbacks) || r.Deadline != 0 || len(r.Overdue) > 0 {
		encodeSources(i, r)
	}
	return i, nil
}

// onlyCallbacks are the sources of a record of version 1.
var onlyCallbacks = []payout.Source{payout.SourceCallback}

func encodeClaims(claims map[payout.Field]payout.ClaimValues) item {
	i := item{}
	for field, values := range claims {
		var list []types.AttributeValue
		for _, value := range values.Seen {
			list = append(list, text(value))
		}
		if values.Overflow {
			// A null at the end means that there were more values.
			list = append(list, &types.AttributeValueMemberNULL{Value: true})
		}
		i[string(field)] = &types.AttributeValueMemberL{Value: list}
	}
	return i
}

// decodeRecord returns the record that an item holds. It fails for a later schema
// version: writing the record back would lose what this version does not know.
func decodeRecord(i item) (payout.Record, error) {
	r := payout.Record{
		ID:          payout.ID(i.text("payout")),
		Version:     i.int("version"),
		Progress:    payout.Status(i.text("progress")),
		Claims:      decodeClaims(i.child("claims")),
		Reasons:     map[payout.Status]string{},
		BlockHeight: i.uint("blockHeight"),
		BlockTime:   i.int("blockTime"),
		Settled:     decodeTotals(i.child("settled")),
		Resolutions: map[string]payout.Resolution{},
		FinalBy:     map[payout.Status][]payout.Source{},
	}
	decodeSources(i, &r)
	if i.int("v") > schemaVersion {
		return r, fmt.Errorf("decode payout %s: schema version %d, this version reads up to %d: %w",
			r.ID, i.int("v"), schemaVersion, inbox.ErrLaterVersion)
	}
	amountsValid := r.Settled.IsValid() && r.SettledByQuery.IsValid() && !slices.ContainsFunc(r.Claims[payout.FieldAmount].Seen, func(seen string) bool {
		return !payout.Amount(seen).IsValid()
	})
	if !amountsValid {
		return r, fmt.Errorf("decode payout %s: invalid amount: %w", r.ID, inbox.ErrDamagedPayout)
	}
	reasons := i.child("reasons")
	for _, status := range slices.Collect(maps.Keys(reasons)) {
		r.Reasons[payout.Status(status)] = reasons.text(status)
	}
	resolutions := i.child("resolutions")
	for key := range resolutions {
		var decision payout.Resolution
		if err := json.Unmarshal([]byte(resolutions.text(key)), &decision); err != nil {
			return r, fmt.Errorf("decode payout %s: resolution: %w", r.ID, errors.Join(inbox.ErrDamagedPayout, err))
		}
		r.Resolutions[key] = decision
	}
	return r, nil
}

func decodeClaims(i item) map[payout.Field]payout.ClaimValues {
	claims := map[payout.Field]payout.ClaimValues{}
	for field, value := range i {
		list, ok := value.(*types.AttributeValueMemberL)
		if !ok {
			continue
		}
		var values payout.ClaimValues
		for _, element := range list.Value {
			seen, ok := element.(*types.AttributeValueMemberS)
			if !ok {
				values.Overflow = true
				continue
			}
			values.Seen = append(values.Seen, seen.Value)
		}
		claims[payout.Field(field)] = values
	}
	return claims
}

package payout

import (
	"cmp"
	"errors"
	"regexp"
	"strconv"
	"strings"
)

// Totals counts the items of a batch by their status.
type Totals struct {
	Pending   Tally `json:"pending"`
	Succeeded Tally `json:"succeeded"`
	Failed    Tally `json:"failed"`
	Cancelled Tally `json:"cancelled"`
}

// Tally is a number of items and the sum of their amounts.
type Tally struct {
	Count  int64  `json:"count"`
	Amount Amount `json:"amount"`
}

// IsValid reports whether all amounts are valid; see [Amount.IsValid].
func (t Totals) IsValid() bool {
	return t.Pending.Amount.IsValid() && t.Succeeded.Amount.IsValid() && t.Failed.Amount.IsValid() && t.Cancelled.Amount.IsValid()
}

// Settled returns the items that are no longer pending.
func (t Totals) Settled() Tally {
	return t.Succeeded.add(t.Failed).add(t.Cancelled)
}

// All returns all items of the batch.
func (t Totals) All() Tally { return t.Settled().add(t.Pending) }

// max returns the greater of both totals, part by part, without pending items.
func (t Totals) max(other Totals) Totals {
	return Totals{
		Succeeded: t.Succeeded.max(other.Succeeded),
		Failed:    t.Failed.max(other.Failed),
		Cancelled: t.Cancelled.max(other.Cancelled),
	}
}

func (t Tally) add(other Tally) Tally {
	return Tally{Count: t.Count + other.Count, Amount: t.Amount.Add(other.Amount)}
}

func (t Tally) max(other Tally) Tally {
	if other.Amount.Cmp(t.Amount) > 0 {
		t.Amount = other.Amount
	}
	t.Count = max(t.Count, other.Count)
	return t
}

func (t Tally) text() string {
	return formatCount(t.Count) + " " + string(cmp.Or(t.Amount, "0"))
}

// settledKey matches the text of the settled items of a batch: three parts, each a
// word, a count and a sum: "succeeded 2 1500, failed 0 0, cancelled 1 500".
var settledKey = regexp.MustCompile(`^succeeded ([0-9]{1,19}) ([0-9.]+), failed ([0-9]{1,19}) ([0-9.]+), cancelled ([0-9]{1,19}) ([0-9.]+)$`)

// SettledKey returns the settled items as text, the value of [FieldSettled]. Equal
// totals have equal texts.
func (t Totals) SettledKey() string {
	return strings.Join([]string{
		"succeeded " + t.Succeeded.text(), "failed " + t.Failed.text(), "cancelled " + t.Cancelled.text(),
	}, ", ")
}

// parseSettledKey parses a text that SettledKey returned, and no other.
func parseSettledKey(text string) (Totals, error) {
	parts := settledKey.FindStringSubmatch(text)
	if parts == nil {
		return Totals{}, errors.New("not the totals of a batch")
	}
	var tallies [3]Tally
	for n := range tallies {
		count, err := strconv.ParseInt(parts[1+2*n], 10, 64)
		if err != nil {
			return Totals{}, errors.New("count out of range")
		}
		tallies[n] = Tally{Count: count, Amount: Amount(parts[2+2*n])}
	}
	totals := Totals{Succeeded: tallies[0], Failed: tallies[1], Cancelled: tallies[2]}
	if !totals.IsValid() || totals.SettledKey() != text {
		return Totals{}, errors.New("not in canonical form")
	}
	return totals, nil
}

func formatCount(n int64) string { return strconv.FormatInt(n, 10) }

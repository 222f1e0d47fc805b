package payout

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
)

// The items of a batch that are no longer pending stand in a text of three
// parts, each a word, a count and a sum: "succeeded 2 1500, failed 0 0, cancelled 1 500".
var settledKey = regexp.MustCompile(`^succeeded ([0-9]{1,19}) ([0-9.]+), failed ([0-9]{1,19}) ([0-9.]+), cancelled ([0-9]{1,19}) ([0-9.]+)$`)

// SettledText returns what of the totals is settled as the one text by which
// [FieldSettled] names it. Equal totals have equal texts.
func (t Totals) SettledKey() string {
	return strings.Join([]string{
		"succeeded " + t.Succeeded.text(), "failed " + t.Failed.text(), "cancelled " + t.Cancelled.text(),
	}, ", ")
}

// parseSettled reads what SettledText wrote, and nothing else.
func parseSettled(text string) (Totals, error) {
	parts := settledKey.FindStringSubmatch(text)
	if parts == nil {
		return Totals{}, errors.New("not the totals of a batch")
	}
	var tallies [3]Tally
	for n := range tallies {
		count, err := strconv.ParseInt(parts[1+2*n], 10, 64)
		if err != nil {
			return Totals{}, errors.New("a count is too great")
		}
		tallies[n] = Tally{Count: count, Amount: Amount(parts[2+2*n])}
	}
	totals := Totals{Succeeded: tallies[0], Failed: tallies[1], Cancelled: tallies[2]}
	if !totals.IsValid() || totals.SettledKey() != text {
		return Totals{}, errors.New("not in the one canonical text")
	}
	return totals, nil
}

package providersim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Plan says how a payout ends and what goes wrong. The zero Plan lets it succeed
// at once, with one callback and right answers. In JSON, durations are strings
// such as "90s".
type Plan struct {
	Status Status            `json:"status,omitempty"` // how the payout ends; "" is Succeeded
	Items  map[string]Status `json:"items,omitempty"`  // of a Pivot bulk, by reference; Status for the others
	Reason string            `json:"reason,omitempty"` // of a failed Pivot payout; "" is "Invalid account"
	After  time.Duration     `json:"after,omitempty"`  // from the order, or from Finish, to the end

	// The callback that states the end.
	Lost     bool          `json:"lost,omitempty"`     // it is never sent; Push sends it
	Delay    time.Duration `json:"delay,omitempty"`    // from the end to the callback
	Copies   int           `json:"copies,omitempty"`   // sent so many times more, with the same bytes
	Overtake bool          `json:"overtake,omitempty"` // the payout's earlier callbacks that still wait are sent after it
	Forged   bool          `json:"forged,omitempty"`   // signed with another key; Push sends the genuine callback
	Altered  Alteration    `json:"altered,omitempty"`  // a field that differs from the order; Push sends the genuine callback

	// Queries about the payout.
	Stale      time.Duration `json:"stale,omitempty"`      // answers state what was so long ago
	Unknown    time.Duration `json:"unknown,omitempty"`    // answers are "not found" for so long after the order
	Fault      Fault         `json:"fault,omitempty"`      // of the answers
	FaultCount int           `json:"faultCount,omitempty"` // of the answers with the fault; 0 is all of them
	RetryAfter time.Duration `json:"retryAfter,omitempty"` // header of Limited, in whole seconds; 0 leaves it out
}

// Status is the end of a payout in the words of this module.
type Status string

// The statuses. Pivot shows an item of a cancelled request as CANCELLED [guess].
const (
	Succeeded     Status = "succeeded"
	Failed        Status = "failed"
	Rejected      Status = "rejected"      // Cregis 4; Pivot item REJECTED, for which a single payout has no callback
	RejectedBySig Status = "rejected-sign" // Cregis 2
	Cancelled     Status = "cancelled"     // Cregis 3, without a callback; Pivot request CANCELLED
	Unfunded      Status = "unfunded"      // Pivot request PENDING: the balance is too low; not an end
	Approved      Status = "approved"      // Cregis 1, without a callback; not an end
	Processing    Status = "in-progress"   // Cregis 5, without a callback; not an end
	Pending       Status = "pending"       // for ever, until Finish; an item of a Pivot bulk that is done
	none          Status = ""
)

// Alteration is a field of a callback that differs from the order.
type Alteration string

// The alterations.
const (
	AlteredAmount    Alteration = "amount"
	AlteredRecipient Alteration = "recipient" // Cregis only
	AlteredCurrency  Alteration = "currency"  // a currency that nobody knows
)

// Fault is what is wrong with the answer to a query.
type Fault string

// The faults.
const (
	Limited            Fault = "limited"             // 429
	Unavailable        Fault = "unavailable"         // Cregis 502 without JSON; Pivot 503 service_unavailable
	Hanging            Fault = "hanging"             // no answer until the client leaves
	NotJSON            Fault = "not-json"            // 200 with a page
	Huge               Fault = "huge"                // 2 MiB
	CredentialsRefused Fault = "credentials-refused" // Cregis B0001; Pivot 401 credentials_invalid
	AddressRefused     Fault = "address-refused"     // Cregis E0001
	InProcess          Fault = "in-process"          // Pivot payouts_in_process

	OtherAccount   Fault = "other-account"
	OtherReference Fault = "other-reference"
	UnknownStatus  Fault = "unknown-status"
	AmountForm     Fault = "amount-form"   // the amount is a JSON number
	CurrencyForm   Fault = "currency-form" // Cregis: chain@token, as in the order
	Endless        Fault = "endless"       // Pivot: each page announces more
	Shifting       Fault = "shifting"      // Pivot: an item moves between the pages while they are read
	Totals         Fault = "totals"        // Pivot: the totals count an item too many
)

// support lists what a provider can do.
type support struct {
	statuses, items []Status
	alterations     []Alteration
	faults          []Fault
}

// refusals are the faults that can concern every request, and not only the
// queries about a payout.
var refusals = []Fault{Limited, Unavailable, Hanging, NotJSON, Huge, CredentialsRefused, AddressRefused, InProcess}

// check returns an error that names the field that the provider cannot do.
func (s support) check(plan Plan) error {
	for _, duration := range []time.Duration{plan.After, plan.Delay, plan.Stale, plan.Unknown, plan.RetryAfter} {
		if duration < 0 {
			return fmt.Errorf("duration %s: must not be negative", duration)
		}
	}
	switch {
	case plan.Copies < 0 || plan.Copies > 100:
		return fmt.Errorf("copies %d: must be 0 to 100", plan.Copies)
	case plan.FaultCount < 0:
		return fmt.Errorf("faultCount %d: must not be negative", plan.FaultCount)
	case plan.Status != none && !slices.Contains(s.statuses, plan.Status):
		return fmt.Errorf("status %q: must be one of %q", plan.Status, s.statuses)
	case plan.Altered != "" && !slices.Contains(s.alterations, plan.Altered):
		return fmt.Errorf("altered %q: must be one of %q", plan.Altered, s.alterations)
	case plan.Fault != "" && !slices.Contains(s.faults, plan.Fault):
		return fmt.Errorf("fault %q: must be one of %q", plan.Fault, s.faults)
	}
	for _, reference := range slices.Sorted(maps.Keys(plan.Items)) {
		if !slices.Contains(s.items, plan.Items[reference]) {
			return fmt.Errorf("items %s %q: must be one of %q", reference, plan.Items[reference], s.items)
		}
	}
	return nil
}

// UnmarshalJSON reads a plan. It refuses unknown fields.
func (p *Plan) UnmarshalJSON(raw []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return err
	}
	for _, name := range []string{"after", "delay", "stale", "unknown", "retryAfter"} {
		var text string
		if json.Unmarshal(fields[name], &text) != nil {
			continue // absent, or refused below
		}
		duration, err := time.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fields[name] = fmt.Appendf(nil, "%d", duration)
	}
	raw, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	type plain Plan
	return decodeStrictly(raw, (*plain)(p))
}

// MarshalJSON writes a plan as UnmarshalJSON reads it.
func (p Plan) MarshalJSON() ([]byte, error) {
	type plain Plan
	text := func(duration time.Duration) string {
		if duration == 0 {
			return ""
		}
		return duration.String()
	}
	return json.Marshal(struct {
		plain

		After      string `json:"after,omitempty"`
		Delay      string `json:"delay,omitempty"`
		Stale      string `json:"stale,omitempty"`
		Unknown    string `json:"unknown,omitempty"`
		RetryAfter string `json:"retryAfter,omitempty"`
	}{plain(p), text(p.After), text(p.Delay), text(p.Stale), text(p.Unknown), text(p.RetryAfter)})
}

// String lists what the plan sets: status failed, delay 10m0s.
func (p Plan) String() string {
	raw, err := json.Marshal(p)
	if err != nil {
		return err.Error()
	}
	return strings.NewReplacer(`"`, "", ":", " ", ",", ", ", "{", "", "}", "").Replace(string(raw))
}

func decodeStrictly(raw []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}

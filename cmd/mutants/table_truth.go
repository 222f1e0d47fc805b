package main

// truth is against the merge law and the keys: what a payout is, and when two
// facts are one.
var truth = []mutant{{
	name: "the last writer wins", breaks: "I8", file: "pkg/payout/record.go",
	old: `next.Claims[field] = next.Claims[field].with(value)`,
	new: `next.Claims[field] = Values{Seen: []string{value}}`,
}, {
	name: "the first writer wins", breaks: "I8", file: "pkg/payout/record.go",
	old: `next.Claims[field] = next.Claims[field].with(value)`,
	new: `if len(next.Claims[field].Seen) == 0 {
			next.Claims[field] = next.Claims[field].with(value)
		}`,
}, {
	name: "a conflict is resolved by time", breaks: "I8", file: "pkg/payout/record.go",
	old: `next.Claims[field] = next.Claims[field].with(value)`,
	new: `if e.BlockTime > next.BlockTime {
			next.Claims[field] = Values{}
		}
		next.Claims[field] = next.Claims[field].with(value)`,
}, {
	name: "pending overrides a final status", breaks: "I5", file: "pkg/payout/record.go",
	old: `if final := r.Value(FieldStatus); final != "" {`,
	new: `if final := r.Value(FieldStatus); final != "" && r.Progress == "" {`,
}, {
	name: "the progress goes back", breaks: "I5", file: "pkg/payout/record.go",
	old: `if e.Status.rank(kind) > next.Progress.rank(kind) {`,
	new: `if e.Status.rank(kind) > 0 {`,
}, {
	name: "the last reason wins", breaks: "I5", file: "pkg/payout/record.go",
	old: `(!ok || e.Reason < seen)`,
	new: `(!ok || e.Reason != seen)`,
}, {
	name: "the last block wins", breaks: "I5", file: "pkg/payout/record.go",
	old: `next.BlockHeight = max(next.BlockHeight, e.BlockHeight)`,
	new: `next.BlockHeight = e.BlockHeight`,
}, {
	name: "the last totals of a batch win", breaks: "I5", file: "pkg/payout/record.go",
	old: `next.Settled = next.Settled.greatest(e.Totals)`,
	new: `next.Settled = Totals{}.greatest(e.Totals)`,
}, {
	name: "more of a batch is settled than there is", breaks: "I8", file: "pkg/payout/record.go",
	old: `return err == nil && settled.Count > items ||`,
	new: `return err == nil && settled.Count > 2*items ||`,
}, {
	name: "more money of a batch is settled than there is", breaks: "I8", file: "pkg/payout/record.go",
	old: `settled.Amount.Cmp(Amount(r.Value(FieldAmount))) > 0`,
	new: `settled.Amount.Cmp(Amount(r.Value(FieldAmount))) > 1`,
}, {
	name: "a resolution sets the status", breaks: "I5", file: "pkg/payout/record.go",
	old: `next.Resolutions[decision.Fingerprint()] = decision`,
	new: `next.Claims[FieldStatus] = Values{Seen: []string{decision.Trusted[FieldStatus]}}`,
}, {
	name: "a replaced resolution stays in force", breaks: "I4", file: "pkg/payout/record.go",
	old: `if !replaced[key] {`,
	new: `if len(key) > 0 {`,
}, {
	name: "Apply writes into the record that it was given", breaks: "I4", file: "pkg/payout/record.go",
	old: `return maps.Clone(m)`,
	new: `return m`,
}, {
	name: "of too many values, no mark is left", breaks: "I8", file: "pkg/payout/claim.go",
	old: `return Values{Seen: seen[:maxValues], Overflow: true}`,
	new: `return Values{Seen: seen[:maxValues], Overflow: v.Overflow}`,
}, {
	name: "the fingerprint lacks the transaction", breaks: "I7", file: "pkg/payout/event.go",
	old: `e.Memo, e.TxID,`,
	new: `e.Memo,`,
}, {
	name: "the key lacks the amount", breaks: "I7", file: "pkg/payout/event.go",
	old: `string(e.Amount), e.Currency,`,
	new: `e.Currency,`,
}, {
	name: "the fingerprint has no lengths", breaks: "I7", file: "pkg/payout/event.go",
	old: `hash.Write(length[:])`,
	new: `hash.Write(nil)`,
}, {
	name: "1.10 is not 1.1", breaks: "I2", file: "pkg/payout/amount.go",
	old: `text = strings.TrimRight(strings.TrimRight(text, "0"), ".")`,
	new: `text = strings.TrimRight(text, ".")`,
}, {
	name: "an amount may have an exponent", breaks: "I7", file: "pkg/payout/amount.go",
	old: `if text[i] < '0' || text[i] > '9' {`,
	new: `if (text[i] < '0' || text[i] > '9') && text[i] != 'e' {`,
}, {
	name: "an amount that is none is taken from the queue", breaks: "I3", file: "pkg/payout/amount.go",
	old:  `return a == "" || isPlain(string(a), maxDigits+1)`,
	new:  `return a == "" || isPlain("0", maxDigits+1)`,
	also: []string{"./pkg/sqsqueue"},
}, {
	name: "parts of an id are not escaped", breaks: "I4", file: "pkg/payout/id.go",
	old:  `parts = append(parts, url.PathEscape(reference))`,
	new:  `parts = append(parts, reference)`,
	also: []string{"./pkg/provider/pivot"},
}, {
	name: "the key is of the body, not of its meaning", breaks: "I2", file: "pkg/inbox/receipt.go",
	old: `Key:        Key{Payout: string(event.ID), Receipt: string(event.Status) + "/" + event.Fingerprint()},`,
	new: `Key:        Key{Payout: string(event.ID), Receipt: string(event.Status) + "/" + event.Fingerprint() + string(body)},`,
}, {
	name: "all held callbacks of an account share a key", breaks: "I7", file: "pkg/inbox/receipt.go",
	old:  `sum := sha256.Sum256(held.Subject)`,
	new:  `sum := sha256.Sum256(nil)`,
	also: []string{"./pkg/provider/cregis"},
}}

package main

// repairs is against what people do by hand, and against the audit that finds
// what somebody did to the tables.
var repairs = []mutant{{
	name: "a decision about a batch's totals holds for greater ones", breaks: "I8", file: "pkg/payout/record.go",
	old: `if slices.Contains(decision.Rejected[FieldSettled], told) {`,
	new: `if len(decision.Rejected[FieldSettled]) > 0 && told != "" {`,
}, {
	name: "of two decisions about a batch's totals the first counts", breaks: "I8", file: "pkg/payout/record.go",
	old: `if trusted = distinct(trusted); len(trusted) != 1 {`,
	new: `if trusted = distinct(trusted); len(trusted) == 0 {`,
}, {
	name: "ending one conflict re-opens another", breaks: "I8", file: "pkg/payout/trust.go",
	old: `if !slices.Contains(fields, field) {`,
	new: `if len(fields) == 0 {`,
}, {
	name: "a change of mind contradicts the first decision", breaks: "I8", file: "pkg/payout/trust.go",
	old: `, Replaces: r.replaceable()}`,
	new: `}`,
}, {
	name: "a held callback is marked released before its event is recorded", breaks: "I7", file: "pkg/repair/release.go",
	old: `	if err := r.record(ctx, parsed); err != nil {
		return "", err
	}
	if found.State == inbox.Released {
		return Released, nil
	}
	held.State, held.As, held.Hand = inbox.Released, parsed.Key, hand
	return r.close(ctx, held, Released)`,
	new: `	held.State, held.As, held.Hand = inbox.Released, parsed.Key, hand
	outcome, err := r.close(ctx, held, Released)
	if err != nil || outcome != Released {
		return outcome, err
	}
	return outcome, r.record(ctx, parsed)`,
}, {
	name: "a release goes on without the receipt of its event", breaks: "I7", file: "pkg/repair/release.go",
	old: `if err := r.record(ctx, parsed); err != nil {`,
	new: `if err := r.record(ctx, parsed); err != nil && ctx == nil {`,
}, {
	name: "a dismissed callback is released behind the back of who dismissed it", breaks: "I8", file: "pkg/repair/release.go",
	old: `return told, nil`,
	new: `return told || true, nil`,
}, {
	name: "a body that was cut is read as if it were whole", breaks: "I6", file: "pkg/callback/handler.go",
	old: `	case ReasonTooLarge:
		return false
	case ReasonUnreadable:`,
	new: `	case ReasonUnreadable:`,
}, {
	name: "a payout is read after its receipts, and written over", breaks: "I4", file: "pkg/repair/refold.go",
	old: `	read, err := r.Store.Standing(ctx, id)
	if err != nil {
		return Plan{}, fmt.Errorf("read payout: %w", err)
	}
	fold, err := inbox.FoldOf(r.Store.Story(ctx, id))
	if err != nil {
		return Plan{}, fmt.Errorf("read receipts: %w", err)
	}`,
	new: `	fold, err := inbox.FoldOf(r.Store.Story(ctx, id))
	if err != nil {
		return Plan{}, fmt.Errorf("read receipts: %w", err)
	}
	read, err := r.Store.Standing(ctx, id)
	if err != nil {
		return Plan{}, fmt.Errorf("read payout: %w", err)
	}`,
}, {
	name: "a payout is written anew whatever was applied meanwhile", breaks: "I4", file: "pkg/dynamostore/editor.go",
	old: `aws.String("version = :read")`,
	new: `aws.String("version = :read OR attribute_exists(payout)")`,
}, {
	name: "what is not held is closed", breaks: "I3", file: "pkg/dynamostore/editor.go",
	old: `aws.String("#state = :held")`,
	new: `aws.String("#state = :held OR attribute_exists(payout)")`,
}, {
	name: "a closed receipt keeps half of its place in the index", breaks: "I3", file: "pkg/dynamostore/editor.go",
	old:  `aws.String("SET #state = :closed, #hand = :hand REMOVE #due, dueAt")`,
	new:  `aws.String("SET #state = :closed, #hand = :hand REMOVE #due")`,
	also: []string{"./pkg/audit"},
}, {
	name: "a receipt that cannot be found by the sweeper is in its place", breaks: "I3", file: "pkg/dynamostore/editor.go",
	old:  `return isNumber && i.text("due") == dueIn(receipt.Key, receipt.State)`,
	new:  `return isNumber || receipt.State == inbox.Received`,
	also: []string{"./pkg/audit"},
}, {
	name: "the audit counts facts and does not look at them", breaks: "I4", file: "pkg/audit/payouts.go",
	old: `case seen.Damage == nil && len(fold.Damaged) == 0 && len(seen.Record.Differences(fold.Record)) == 0:`,
	new: `case seen.Damage == nil && len(fold.Damaged) == 0 && seen.Record.Version == fold.Record.Version:`,
}, {
	name: "the audit takes a payout that moves for a damaged one", breaks: "I4", file: "pkg/audit/payouts.go",
	old: `if before.Exists == after.Exists && reflect.DeepEqual(before.Base, after.Base) {`,
	new: `if before.Exists == after.Exists && reflect.DeepEqual(before.Base, before.Base) {`,
}, {
	name: "the audit does not ask for the payout of an applied receipt", breaks: "I4", file: "pkg/audit/audit.go",
	old: `if id := receipt.Key.Payout; receipt.State == inbox.Applied && id != last {`,
	new: `if id := receipt.Key.Payout; receipt.State == inbox.Applied && id == last+"/" {`,
}, {
	name: "the audit does not ask who dismissed a callback", breaks: "I7", file: "pkg/audit/audit.go",
	old: `if receipt.Hand == (inbox.Hand{}) {`,
	new: `if receipt.State == inbox.Released && receipt.Hand == (inbox.Hand{}) {`,
}, {
	name: "the audit believes an acknowledgement without a receipt", breaks: "I1", file: "pkg/audit/log.go",
	old: `	case !there:
		finding`,
	new: `	case !there && one.Accepted == "":
		finding`,
}, {
	name: "a log that is given twice vouches twice", breaks: "I1", file: "pkg/audit/log.go",
	old: `if known&by != 0 {`,
	new: `if known&by == byGateway|byFunction {`,
}, {
	name: "a line of nothing known passes for one of the log", breaks: "I1", file: "pkg/audit/log.go",
	old: `case !ofGateway && !ofFunction:
		return false`,
	new: `case !ofGateway && !ofFunction:
		return true`,
}}

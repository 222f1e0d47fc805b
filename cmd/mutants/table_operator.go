package main

// operator is against what a person does by hand: nothing that was kept may be
// lost by it, and no key.
var operator = []mutant{{
	name: "a new key ends the one so far", breaks: "I7", file: "pkg/keyring/rotation.go",
	old: `callback.AccountKeys{Current: key, Previous: of.Current}), nil`,
	new: `callback.AccountKeys{Current: key}), nil`,
}, {
	name: "a third key ends the first", breaks: "I7", file: "pkg/keyring/rotation.go",
	old: `case of.Previous != "":
		return nil, ErrRotating
	}`,
	new: `}`,
}, {
	name: "of two people the second one's keys win", breaks: "I7", file: "pkg/keyring/store.go",
	old: `VersionStages: []string{pending},`,
	new: `VersionStages: []string{current},`,
}, {
	name: "a lost race over keys is told as won", breaks: "I7", file: "pkg/keyring/store.go",
	old: `return ErrChanged`,
	new: `return nil`,
}, {
	name: "a dead letter that could not be sent is deleted", breaks: "I1", file: "pkg/redrive/redrive.go",
	old: `if err := secure(ctx, found); err != nil {
		return false, err
	}`,
	new: `_ = secure(ctx, found)`,
}, {
	name: "a dead letter is deleted before it is sent", breaks: "I1", file: "pkg/redrive/redrive.go",
	old: `if err := secure(ctx, found); err != nil {`,
	new: `_ = d.Queue.Delete(ctx, found.Letter)
	if err := secure(ctx, found); err != nil {`,
}, {
	name: "a dry run sends", breaks: "I5", file: "pkg/redrive/redrive.go",
	old: `if order.DryRun {`,
	new: `if false {`,
}, {
	name: "letters that were only looked at stay out of sight", breaks: "I3", file: "pkg/redrive/walk.go",
	old: `defer func() { d.returnAll(ctx, kept) }()`,
	new: ``,
}, {
	name: "letters that come back into sight end a redrive", breaks: "I3", file: "pkg/redrive/walk.go",
	old: `news = news || !again[letter.ID]`,
	new: `news = news || false`,
}, {
	name: "the only copy of a callback can be dropped", breaks: "I7", file: "cmd/payoutctl/dlq_move.go",
	old: `var droppable = []redrive.Cause{redrive.Foreign, redrive.Leftover}`,
	new: `var droppable = redrive.Causes()`,
}, {
	name: "explain tells the proof that would have been right", breaks: "I9", file: "pkg/explain/finding.go",
	old: `return proof[:shownProof] + "…"`,
	new: `return proof`,
}, {
	name: "a schedule that is switched loses what is not named", breaks: "I3", file: "cmd/payoutctl/pause.go",
	old: `FlexibleTimeWindow: found.FlexibleTimeWindow, Target: found.Target,`,
	new: `FlexibleTimeWindow: found.FlexibleTimeWindow, Target: &types.Target{Arn: found.Target.Arn, RoleArn: found.Target.RoleArn},`,
}}

package main

// flow is against the way from a request to a payout: accept, apply, sweep.
var flow = []mutant{{
	name: "acknowledged before the put", breaks: "I1", file: "pkg/callback/handler.go",
	old: `accepted, err := h.Inbox.Accept(ctx, receipt)`,
	new: `go func() { _, _ = h.Inbox.Accept(context.WithoutCancel(ctx), receipt) }()
	accepted, err := inbox.Accepted{As: inbox.New}, error(nil)`,
}, {
	name: "success on a failed store", breaks: "I1", file: "pkg/callback/handler.go",
	old: `return Result{Reply: h.Provider.Reply(Unavailable), Verdict: Unavailable, Sender: sender, Receipt: receipt, Err: err}`,
	new: `return Result{Reply: h.Provider.Reply(Acknowledge), Verdict: Acknowledge, Sender: sender, Receipt: receipt, Err: err}`,
}, {
	name: "401 on a fault of ours", breaks: "I7", file: "pkg/callback/handler.go",
	old: "\treturn Unavailable\n}",
	new: "\treturn Unauthentic\n}",
}, {
	name: "401 while nobody can tell the keys", breaks: "I7", file: "pkg/callback/handler.go",
	old: `return Sender{}, refreshErr`,
	new: `return Sender{}, err`,
}, {
	name: "keys are not refreshed", breaks: "I7", file: "pkg/callback/handler.go",
	old: `if !errors.Is(err, ErrUnauthentic) && !errors.Is(err, ErrUnusableKeys) {`,
	new: `if err == nil || err != nil {`,
}, {
	name: "the body limit is off", breaks: "I6", file: "pkg/callback/request.go",
	old:  `body[:min(len(body), MaxBody)]`,
	new:  `body`,
	also: []string{"./pkg/gateway"},
}, {
	name: "a key prints as itself", breaks: "I9", file: "pkg/callback/keys.go",
	old: `func (Key) String() string { return "[redacted]" }`,
	new: `func (k Key) String() string { return string(k) }`,
}, {
	name: "base64 is ignored", breaks: "I7", file: "pkg/gateway/gateway.go",
	old: `if event.IsBase64Encoded {`,
	new: `if event.IsBase64Encoded && event.Body == "" {`,
}, {
	name: "headers keep the gateway's spelling", breaks: "I7", file: "pkg/gateway/gateway.go",
	old: `header.Add(name, value)`,
	new: `header[name] = []string{value}`,
}, {
	name: "the secret's stale keys are dropped", breaks: "I7", file: "pkg/secret/secret.go",
	old: `if err := k.read(ctx); err != nil && k.keys == nil {`,
	new: `if err := k.read(ctx); err != nil {`,
}, {
	name: "keys that were taken away stay good", breaks: "I6", file: "pkg/secret/secret.go",
	old: `k.keys, k.version = nil, ""`,
	new: `k.version = ""`,
}, {
	name: "keys are read once and never again", breaks: "I7", file: "pkg/secret/secret.go",
	old: `if k.keys != nil && k.now().Sub(k.readAt) < freshFor {`,
	new: `if k.keys != nil {`,
}, {
	name: "a flood of forged callbacks is one of reads", breaks: "I7", file: "pkg/secret/secret.go",
	old: `if k.spent >= refreshBurst {`,
	new: `if k.spent >= 1000*refreshBurst {`,
}, {
	name: "send before put, with the answer duplicate lost", breaks: "I2", file: "pkg/inbox/accept.go",
	old: `found, err := in.create(ctx, receipt)
	switch {
	case err != nil:
		if sendErr := in.send(ctx, receipt); sendErr != nil {`,
	new: `sendErr := in.send(ctx, receipt)
	_, err := in.create(ctx, receipt)
	found := Existing{}
	switch {
	case err == nil && sendErr == nil:
		return Accepted{As: New}, nil
	case err != nil:
		if sendErr != nil {`,
}, {
	name: "the fallback path drops the body", breaks: "I7", file: "pkg/inbox/accept.go",
	old: `if sendErr := in.send(ctx, receipt); sendErr != nil {`,
	new: `receipt.Body = nil
		if sendErr := in.send(ctx, receipt); sendErr != nil {`,
}, {
	name: "held, acknowledged, not stored", breaks: "I1", file: "pkg/inbox/accept.go",
	old: `found, err := in.create(ctx, receipt)`,
	new: `if receipt.State == Held {
		return Accepted{As: New}, nil
	}
	found, err := in.create(ctx, receipt)`,
}, {
	name: "held, acknowledged, not sent while the store is down", breaks: "I1", file: "pkg/inbox/accept.go",
	old: `if sendErr := in.send(ctx, receipt); sendErr != nil {`,
	new: `if receipt.State == Held {
			return Accepted{As: ByQueue, Fault: err}, nil
		}
		if sendErr := in.send(ctx, receipt); sendErr != nil {`,
}, {
	name: "a duplicate that is still received is not sent again", breaks: "I3", file: "pkg/inbox/accept.go",
	old: `case found.State == Received && `,
	new: `case found.State == Held && `,
}, {
	name: "an absent receipt counts as applied", breaks: "I3", file: "pkg/inbox/apply.go",
	old: `case refusal.ReceiptRefused && refusal.Receipt == Applied:`,
	new: `case refusal.ReceiptRefused:`,
}, {
	name: "a refused merge takes the version and not the record", breaks: "I4", file: "pkg/inbox/apply.go",
	old: `base = refusal.Record`,
	new: `base.Version = refusal.Record.Version`,
}, {
	name: "held by queue, consumed, not stored", breaks: "I1", file: "pkg/inbox/apply.go",
	old: `return in.hold(ctx, receipt)`,
	new: `return NowHeld, nil`,
}, {
	name: "the sweep skips as long as the queue is full", breaks: "I3", file: "pkg/inbox/sweep.go",
	old: `if overdue < backlogPatience {`,
	new: `if overdue >= 0 {`,
}, {
	name: "the sweep floods a full queue", breaks: "I3", file: "pkg/inbox/sweep.go",
	old: `due = due[:min(batch, len(due))]`,
	new: `due = due[:min(limit, len(due))]`,
}, {
	name: "the sweep finds and does not send", breaks: "I3", file: "pkg/inbox/sweep.go",
	old: `if len(due) == 0 {`,
	new: `if len(due) >= 0 {`,
}, {
	name: "the sweep gives up", breaks: "I3", file: "pkg/inbox/sweep.go",
	old: `return toMillis(now.Add(min(wait, time.Hour)))`,
	new: `return toMillis(now.Add(wait * wait / FirstDue))`,
}, {
	name: "a damaged receipt stops the sweep", breaks: "I3", file: "pkg/inbox/sweep.go",
	old: `case errors.Is(err, ErrDamaged):`,
	new: `case errors.Is(err, ErrDamaged) && swept.Damaged > 0:`,
}, {
	name: "no adoption from the dead letters", breaks: "I3", file: "pkg/inbox/sweep.go",
	old: `return swept, errors.Join(err, in.adopt(ctx, limit, &swept))`,
	new: `return swept, err`,
}, {
	name: "a dead letter is deleted before the put", breaks: "I1", file: "pkg/inbox/sweep.go",
	old: `if _, err := in.create(ctx, receipt); err != nil {
		return err
	}
	if err := in.DeadLetters.Delete(ctx, letter); err != nil {
		return fmt.Errorf("delete dead letter: %w", err)
	}
	return nil`,
	new: `if err := in.DeadLetters.Delete(ctx, letter); err != nil {
		return fmt.Errorf("delete dead letter: %w", err)
	}
	_, err := in.create(ctx, receipt)
	return err`,
}, {
	name: "a dead letter that is not ours is deleted", breaks: "I7", file: "pkg/inbox/sweep.go",
	old: `foreign = append(foreign, letter)`,
	new: `_ = in.DeadLetters.Delete(ctx, letter)`,
}, {
	name: "a dead letter that is not ours is kept out of sight", breaks: "I7", file: "pkg/inbox/sweep.go",
	old: `defer func() { err = errors.Join(err, in.returnAll(ctx, foreign)) }()`,
	new: `defer func() { err = errors.Join(err, in.returnAll(ctx, nil)) }()`,
}}

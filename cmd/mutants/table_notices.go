package main

// notices is against what other services are told, and that they are.
var notices = []mutant{{
	name: "a detail that is told later is a notice", breaks: "I2", file: "pkg/notice/notice.go",
	old: `case before.Status() != after.Status():`,
	new: `case before.Version != after.Version:`,
}, {
	name: "a contradiction goes on being a notice", breaks: "I2", file: "pkg/notice/notice.go",
	old: `return after.Status() != payout.Conflicted &&`,
	new: `return after.Status() != "" &&`,
}, {
	name: "an amount that was corrected is no notice", breaks: "I8", file: "pkg/notice/notice.go",
	old: `return old != "" && current != "" && old != current`,
	new: `return old != "" && current == "" && old != current`,
}, {
	name: "nobody hears that the wrong order was credited", breaks: "I8", file: "pkg/notice/notice.go",
	old: `	payout.FieldReference, payout.FieldAmount, payout.FieldCurrency,`,
	new: `	payout.FieldAmount, payout.FieldCurrency,`,
}, {
	name: "a batch is told of when it is done only", breaks: "I7", file: "pkg/notice/notice.go",
	old: `return before.ShownSettled() != after.ShownSettled() ||`,
	new: `return`,
}, {
	name: "a person's decision is told as the provider's", breaks: "I8", file: "pkg/notice/notice.go",
	old: `case len(record.Resolutions) > 0:`,
	new: `case len(record.Resolutions) > 1_000:`,
}, {
	name: "an address is published", breaks: "I9", file: "pkg/notice/notice.go",
	old: `record.Value(payout.FieldTxID)`,
	new: `record.Value(payout.FieldTo)`,
}, {
	name: "a notice that the bus did not take is forgotten", breaks: "I3", file: "pkg/dynamostore/publisher.go",
	old: `err, waiting[0].sequence`,
	new: `err, waiting[len(waiting)-1].sequence`,
}, {
	name: "what was published is published again", breaks: "I2", file: "pkg/dynamostore/publisher.go",
	old: `waiting = waiting[n:]`,
	new: `waiting = waiting[min(n, 0):]`,
}, {
	name: "a record that cannot be read holds up the stream", breaks: "I3", file: "pkg/dynamostore/publisher.go",
	old: `result.Unclear = append(result.Unclear, err)
		}
		if some {`,
	new: `result.Unclear, result.again = append(result.Unclear, err), record.Change.SequenceNumber
		}
		if some {`,
}, {
	name: "a notice that no bus takes holds up the stream", breaks: "I3", file: "pkg/dynamostore/publisher.go",
	old: `case errors.Is(err, notice.ErrUnfit):`,
	new: `case errors.Is(err, notice.ErrUnfit) && n < 0:`,
}, {
	name: "the publisher works until Lambda ends it", breaks: "I3", file: "pkg/dynamostore/publisher.go",
	old: `deadline.Add(-reserve)`,
	new: `deadline`,
}, {
	name: "a record of no version is told of as nothing", breaks: "I7", file: "pkg/dynamostore/stream.go",
	old: `stored.ID == "" || stored.Version < 1`,
	new: `stored.ID == ""`,
}, {
	name: "what follows an old image that is damaged is lost", breaks: "I7", file: "pkg/dynamostore/stream.go",
	old: `before = Stored{}`,
	new: `return change{}, err`,
}, {
	name: "an event that failed counts as published", breaks: "I3", file: "pkg/eventbus/put.go",
	old: `case out.FailedEntryCount == 0:`,
	new: `case out.FailedEntryCount < 2:`,
}, {
	name: "a request is larger than EventBridge takes", breaks: "I3", file: "pkg/eventbus/eventbus.go",
	old: `err != nil || size > maxBytes {`,
	new: `err != nil || size > 8*maxBytes {`,
}, {
	name: "the publisher may write payouts", breaks: "I10", file: "template.yaml",
	old:  `Action: events:PutEvents`,
	new:  `Action: [events:PutEvents, dynamodb:PutItem]`,
	also: []string{"./pkg/templatetest"},
}, {
	name: "the publisher gives up after some tries", breaks: "I3", file: "template.yaml",
	old:  `MaximumRetryAttempts: -1`,
	new:  `MaximumRetryAttempts: 10`,
	also: []string{"./pkg/templatetest"},
}}

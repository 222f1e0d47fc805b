package main

// adapters is against what DynamoDB and SQS are asked for. A condition that is
// taken away is one here that everything meets: DynamoDB refuses an expression
// that leaves out a value it was given, and that would be caught by any test.
var adapters = []mutant{{
	name: "the put has no condition", breaks: "I2", file: "pkg/dynamostore/store.go",
	old: `TableName:                           &s.Receipts,
		Item:                                encoded,
		ConditionExpression:                 aws.String(absent),`,
	new: `TableName:                           &s.Receipts,
		Item:                                encoded,`,
}, {
	name: "the transaction has no condition on the receipt", breaks: "I2", file: "pkg/dynamostore/store.go",
	old: `aws.String("#state = :received"),`,
	new: `aws.String("#state = :received OR #state <> :received"),`,
}, {
	name: "the transaction that creates a receipt has no condition", breaks: "I2", file: "pkg/dynamostore/store.go",
	old: `Item:                                encoded,
			ConditionExpression:                 aws.String(absent),`,
	new: `Item:                                encoded,`,
}, {
	name: "the transaction has no condition on the version", breaks: "I4", file: "pkg/dynamostore/store.go",
	old: `aws.String("version = :base")`,
	new: `aws.String("version = :base OR version <> :base")`,
}, {
	name: "a payout's first event has no condition", breaks: "I4", file: "pkg/dynamostore/store.go",
	old: `TableName:                           &s.Payouts,
		Item:                                encoded,
		ConditionExpression:                 aws.String(absent),`,
	new: `TableName:                           &s.Payouts,
		Item:                                encoded,`,
}, {
	name: "a receipt that was applied stays in the index", breaks: "I3", file: "pkg/dynamostore/store.go",
	old: `appliedAt = :now REMOVE #due, dueAt"),
		ConditionExpression:      aws.String("#state = :received"),
		ExpressionAttributeNames: map[string]string{"#state": "state", "#due": "due"},`,
	new: `appliedAt = :now"),
		ConditionExpression:      aws.String("#state = :received"),
		ExpressionAttributeNames: map[string]string{"#state": "state"},`,
}, {
	name: "the sweeper's update is unconditional", breaks: "I2", file: "pkg/dynamostore/store.go",
	old: `aws.String("#state = :received AND dueAt = :seen"),`,
	new: `aws.String("attribute_exists(payout) OR attribute_not_exists(payout) OR #state = :received OR dueAt = :seen"),`,
}, {
	name: "two sweepers claim one receipt", breaks: "I3", file: "pkg/dynamostore/store.go",
	old: `aws.String("#state = :received AND dueAt = :seen"),`,
	new: `aws.String("#state = :received AND (dueAt = :seen OR dueAt <> :seen)"),`,
}, {
	name: "what is due is listed newest first", breaks: "I3", file: "pkg/dynamostore/unapplied.go",
	old: `return cmp.Or(h.due.DueAt.Compare(other.due.DueAt), h.due.Key.Compare(other.due.Key)) < 0`,
	new: `return cmp.Or(h.due.DueAt.Compare(other.due.DueAt), h.due.Key.Compare(other.due.Key)) > 0`,
}, {
	name: "one shard is never swept", breaks: "I3", file: "pkg/dynamostore/unapplied.go",
	old: `for n := range shards {`,
	new: `for n := range shards - 1 {`,
}, {
	name: "a failed put is taken for a duplicate", breaks: "I1", file: "pkg/dynamostore/store.go",
	old: `if refused, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {`,
	new: `if refused, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok || err != nil {
		if !ok {
			return inbox.Existing{State: inbox.Applied}, nil
		}`,
}, {
	name: "held callbacks stand in the sweep's way", breaks: "I3", file: "pkg/dynamostore/receipt.go",
	old: `func shard(state inbox.State, n int) string { return string(state) + "/" + strconv.Itoa(n) }`,
	new: `func shard(_ inbox.State, n int) string { return "unapplied/" + strconv.Itoa(n) }`,
}, {
	name: "a damaged receipt is read", breaks: "I4", file: "pkg/dynamostore/receipt.go",
	old: `if !r.KeyAgrees() {`,
	new: `if r.Key.Payout == "" {`,
}, {
	name: "a block's height goes through int64", breaks: "I7", file: "pkg/dynamostore/item.go",
	old: `n, err := strconv.ParseUint(value.Value, 10, 64)`,
	new: `n, err := strconv.ParseUint(value.Value, 10, 63)`,
}, {
	name: "the record forgets that there were more values", breaks: "I8", file: "pkg/dynamostore/record.go",
	old: `values.Overflow = true`,
	new: `values.Overflow = false`,
}, {
	name: "a record of a later version is merged into", breaks: "I4", file: "pkg/dynamostore/record.go",
	old: `if i.int("v") > schemaVersion {`,
	new: `if i.int("v") > schemaVersion+1 {`,
}, {
	name: "contention is not tried again", breaks: "I3", file: "pkg/dynamostore/refusal.go",
	old: `if n == contentionTries || !contended(err) {`,
	new: `if n <= contentionTries || !contended(err) {`,
}, {
	name: "another transaction's conflict is not contention", breaks: "I3", file: "pkg/dynamostore/refusal.go",
	old: `if causeOf(reason) == causeConflict {`,
	new: `if causeOf(reason) == causeCondition && causeOf(reason) == causeConflict {`,
}, {
	name: "a failed transaction is taken for a refusal", breaks: "I3", file: "pkg/dynamostore/refusal.go",
	old: `code != causeNone && code != causeCondition`,
	new: `code != causeNone && code != causeCondition && code != causeConflict`,
}, {
	name: "a wrong id in batchItemFailures", breaks: "I1", file: "pkg/sqsqueue/consumer.go",
	old: `ItemIdentifier: delivery.MessageID`,
	new: `ItemIdentifier: delivery.Receipt.Key.Receipt`,
}, {
	name: "a panic is not recovered", breaks: "I3", file: "pkg/sqsqueue/consumer.go",
	old: `if cause := recover(); cause != nil {`,
	new: `if cause := any(nil); cause != nil {`,
}, {
	name: "no time is kept before the deadline", breaks: "I3", file: "pkg/sqsqueue/consumer.go",
	old: `deadline.Add(-reserve)`,
	new: `deadline`,
}, {
	name: "a poison message does not go back at once", breaks: "I3", file: "pkg/sqsqueue/consumer.go",
	old: "\t\twait = 0",
	new: "\t\twait = max(wait, time.Second)",
}, {
	name: "what failed comes back at once", breaks: "I3", file: "pkg/sqsqueue/consumer.go",
	old: `return min(first<<min(n-1, 5), last)`,
	new: `return 0`,
}, {
	name: "a message whose key does not follow from it is taken", breaks: "I4", file: "pkg/sqsqueue/message.go",
	old: `r.State != inbox.Received && r.State != inbox.Held || !r.KeyAgrees()`,
	new: `r.State != inbox.Received && r.State != inbox.Held`,
}, {
	name: "a message of a later version is taken", breaks: "I7", file: "pkg/sqsqueue/message.go",
	old: `m.Version < 1 || m.Version > schemaVersion`,
	new: `m.Version < 1`,
}, {
	name: "a message has no body", breaks: "I7", file: "pkg/sqsqueue/message.go",
	old: "\t\tBody:       r.Body,\n",
	new: ``,
}, {
	name: "part of a batch is not sent, and nobody says so", breaks: "I1", file: "pkg/sqsqueue/send.go",
	old: `return refused.AsError()`,
	new: `return nil`,
}, {
	name: "a batch is larger than SQS takes", breaks: "I3", file: "pkg/sqsqueue/send.go",
	old: `len(entries) == maxEntries || size+len(text) > maxBytes`,
	new: `len(entries) == maxEntries`,
}, {
	name: "what does not fit into a batch is dropped", breaks: "I1", file: "pkg/sqsqueue/send.go",
	old: `entries, size = nil, 0`,
	new: `entries, size = nil, 0
			continue`,
}}

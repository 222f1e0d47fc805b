package main

// deployment is against the template and what is told of a running stack.
var deployment = []mutant{{
	name: "Lambda is not told of single failures", breaks: "I1", file: "template.yaml",
	old:  `FunctionResponseTypes: [ReportBatchItemFailures]`,
	new:  `FunctionResponseTypes: []`,
	also: []string{"./pkg/templatetest"},
}, {
	name: "a message comes back while it is worked on", breaks: "I2", file: "template.yaml",
	old:  `VisibilityTimeout: 180 #`,
	new:  `VisibilityTimeout: 60 #`,
	also: []string{"./pkg/templatetest"},
}, {
	name: "the consumer may send to its own queue", breaks: "I10", file: "template.yaml",
	old:  `Action: [dynamodb:PutItem, dynamodb:UpdateItem]`,
	new:  `Action: [dynamodb:PutItem, dynamodb:UpdateItem, sqs:SendMessage]`,
	also: []string{"./pkg/templatetest"},
}, {
	name: "a note is logged", breaks: "I9", file: "pkg/telemetry/telemetry.go",
	old: `text("reason", result.Receipt.Reason),`,
	new: `text("reason", result.Receipt.Reason+result.Receipt.Note),`,
}, {
	name: "an event is logged", breaks: "I9", file: "pkg/telemetry/telemetry.go",
	old: `text("delivery", delivery.MessageID),`,
	new: `text("delivery", delivery.Receipt.Event.To),`,
}, {
	name: "a body is logged", breaks: "I9", file: "pkg/telemetry/telemetry.go",
	old:  `text("key_id", result.Sender.KeyID),`,
	new:  `text("key_id", string(result.Receipt.Body)),`,
	also: []string{"./pkg/app"},
}, {
	name: "a sweep that saw nothing ends the alarm", breaks: "I3", file: "pkg/telemetry/telemetry.go",
	old: `if err == nil || swept != (inbox.Swept{}) {`,
	new: `if err == nil || err != nil {`,
}, {
	name: "an alarm looks at a metric that nobody emits", breaks: "I3", file: "template.yaml",
	old:  `MetricName: OldestUnapplied`,
	new:  `MetricName: OldestUnaplied`,
	also: []string{"./pkg/templatetest"},
}, {
	name: "a sweeper that does not run is good news", breaks: "I3", file: "template.yaml",
	old:  "      EvaluationPeriods: 5\n      ComparisonOperator: LessThanThreshold\n      Threshold: 1\n      TreatMissingData: breaching\n",
	new:  "      EvaluationPeriods: 5\n      ComparisonOperator: LessThanThreshold\n      Threshold: 1\n      TreatMissingData: notBreaching\n",
	also: []string{"./pkg/templatetest"},
}}

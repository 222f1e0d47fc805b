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
	old: `slog.String("reason", result.Receipt.Reason),`,
	new: `slog.String("reason", result.Receipt.Reason+result.Receipt.Note),`,
}, {
	name: "an event is logged", breaks: "I9", file: "pkg/telemetry/telemetry.go",
	old: `slog.String("delivery", delivery.MessageID),`,
	new: `slog.Any("delivery", delivery.Receipt.Event),`,
}}

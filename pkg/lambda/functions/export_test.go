package functions

// The steps by which a function gets ready.
var (
	Parallel        = parallel
	ConnectDynamoDB = connectDynamoDB
	ConnectSQS      = connectSQS
)

package functions

// The steps by which a function prepares while it starts.
var (
	Parallel        = parallel
	ConnectDynamoDB = connectDynamoDB
	ConnectSQS      = connectSQS
)

// WithQueries is withQueries.
var WithQueries = withQueries

package app

// The steps by which a function gets ready.
var (
	SideBySide      = sideBySide
	ConnectDynamoDB = connectDynamoDB
	ConnectSQS      = connectSQS
)

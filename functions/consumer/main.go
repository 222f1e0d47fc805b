// Command consumer is the Lambda function that applies accepted events to their
// payouts.
package main

import (
	"payout-callbacks/pkg/lambda/functions"
	"payout-callbacks/pkg/lambda/providers"
)

func main() { functions.RunConsumer(providers.All()...) }

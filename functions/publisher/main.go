// Command publisher is the Lambda function that tells other services what
// changed of a payout.
package main

import (
	"payout-callbacks/pkg/aws/eventbus"
	"payout-callbacks/pkg/lambda/functions"
)

func main() { functions.RunPublisher(eventbus.New) }

// Command publisher is the Lambda function that publishes changes of payouts.
package main

import (
	"payout-callbacks/pkg/aws/eventbus"
	"payout-callbacks/pkg/lambda/functions"
)

func main() { functions.RunPublisher(eventbus.New) }

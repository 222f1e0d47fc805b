// Command publisher is the Lambda function that tells other services what
// changed of a payout.
package main

import (
	"payout-callbacks/pkg/app"
	"payout-callbacks/pkg/eventbus"
)

func main() { app.RunPublisher(eventbus.New) }

// Command sweeper is the Lambda function that, every minute, sends accepted
// receipts again that are not applied.
package main

import (
	"payout-callbacks/pkg/lambda/functions"
	"payout-callbacks/pkg/lambda/providers"
)

func main() { functions.RunSweeper(providers.All()...) }

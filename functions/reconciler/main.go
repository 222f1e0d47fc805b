// Command reconciler is the Lambda function that, every minute, asks providers about
// payouts that are due.
package main

import (
	"payout-callbacks/pkg/lambda/functions"
	"payout-callbacks/pkg/lambda/providers"
)

func main() { functions.RunReconciler(providers.All()...) }

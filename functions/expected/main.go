// Command expected is the Lambda function that accepts what our own services ordered
// from providers.
package main

import (
	"payout-callbacks/pkg/lambda/functions"
	"payout-callbacks/pkg/lambda/providers"
)

func main() { functions.RunExpected(providers.All()...) }

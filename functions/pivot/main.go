// Command pivot is the Lambda function that answers Pivot's callbacks.
package main

import (
	"payout-callbacks/pkg/lambda/functions"
	"payout-callbacks/pkg/provider/pivot"
)

func main() { functions.RunIngress(pivot.Provider{}) }

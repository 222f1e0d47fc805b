// Command pivot is the Lambda function that answers the callbacks of Pivot.
package main

import (
	"payout-callbacks/pkg/lambda/functions"
	"payout-callbacks/pkg/provider/pivot"
)

func main() { functions.RunIngress(pivot.Description()) }

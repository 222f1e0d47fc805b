// Command cregis is the Lambda function that answers the callbacks of Cregis.
package main

import (
	"payout-callbacks/pkg/lambda/functions"
	"payout-callbacks/pkg/provider/cregis"
)

func main() { functions.RunIngress(cregis.Description()) }

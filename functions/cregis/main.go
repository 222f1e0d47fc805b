// Command cregis is the Lambda function that answers Cregis's callbacks.
package main

import "payout-callbacks/pkg/lambda/functions"

func main() { functions.ServeCregis() }

// Command pivot is the Lambda function that answers the callbacks of Pivot.
package main

import "payout-callbacks/pkg/lambda/functions"

func main() { functions.RunPivot() }

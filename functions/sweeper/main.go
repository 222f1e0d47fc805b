// Command sweeper is the Lambda function that, every minute, sends again what
// was accepted and not applied.
package main

import "payout-callbacks/pkg/lambda/functions"

func main() { functions.RunSweeper() }

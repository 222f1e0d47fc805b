// Command sweeper is the Lambda function that, every minute, sends again what
// was accepted and not applied.
package main

import "payout-callbacks/pkg/app"

func main() { app.RunSweeper() }

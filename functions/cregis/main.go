// Command cregis is the Lambda function that answers Cregis's callbacks.
package main

import "payout-callbacks/pkg/app"

func main() { app.ServeCregis() }

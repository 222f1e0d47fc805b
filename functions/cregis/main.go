// Command cregis is the Lambda function that answers Cregis's callbacks.
package main

import (
	"payout-callbacks/pkg/app"
	"payout-callbacks/pkg/provider/cregis"
)

func main() { app.ServeCallbacks(cregis.Provider{}) }

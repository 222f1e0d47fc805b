// Command pivot is the Lambda function that answers Pivot's callbacks.
package main

import (
	"payout-callbacks/pkg/app"
	"payout-callbacks/pkg/provider/pivot"
)

func main() { app.RunIngress(pivot.Provider{}) }

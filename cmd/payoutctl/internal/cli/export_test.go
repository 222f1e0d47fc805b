package cli

// What the tests use of the unexported names.
var (
	Visible   = visible
	ParseTime = parseTime
)

// KeysSecretSuffix ends the name of the output with a provider's secret.
const KeysSecretSuffix = keysSecretSuffix

// Outputs lists the outputs of the template that the program reads.
func Outputs() []string {
	return []string{
		outputAPI, outputReceipts, outputPayouts, outputEvents, outputDeadLetters, OutputBus, "ExpectedPayoutsUrl", OutputReconciler,
	}
}

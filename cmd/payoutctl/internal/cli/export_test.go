package cli

// What the tests use of the unexported names.
var (
	Visible   = visible
	ParseTime = parseTime
)

// Outputs lists the outputs of the template that the program reads.
func Outputs() []string {
	return []string{
		outputAPI, outputReceipts, outputPayouts, outputEvents, outputDeadLetters, OutputBus, "ExpectedPayoutsUrl", OutputReconciler,
	}
}

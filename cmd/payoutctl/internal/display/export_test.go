package display

// PayoutTable is what the tests use of the unexported names.
var PayoutTable = payoutTable

package main

// How AWS counts, in one place.

// writeUnits of an item: 1 KB each. Inside a transaction each item of a table
// takes twice as many; its index entries do not
// (https://github.com/nubo-db/dynoxide/pull/188, compared with DynamoDB). A
// refused condition costs what the write would have.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
func writeUnits(bytes int64) int64 { return ceil(bytes, 1024) }

const transactional = 2

// queueRequests of so many bytes: 64 KB each, of a batch all together.
func queueRequests(bytes int64) int64 { return ceil(bytes, 64<<10) }

// fill is how many of what comes at this rate make one batch: what arrives
// while the pollers are away, at least one, at most what a batch takes.
func fill(perMonth, pollMillis, pollers, most int64) int64 {
	return min(most, max(1, perMonth*pollMillis/(monthSeconds*1000*pollers)))
}

// tracesOf so many invocations of functions, spread evenly over the month.
func tracesOf(invocations, functions int64) int64 {
	reserved := min(invocations, tracedPerSecond*monthSeconds*functions)
	return reserved + (invocations-reserved)*tracedPercent/100
}

func ceil(a, b int64) int64 { return (a + b - 1) / b }

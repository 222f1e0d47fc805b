package simulation

// Steps returns what happens in a history, line by line.
func Steps(seed uint64) string {
	w := newWorld(seed, 0)
	w.writesSteps = true
	w.run()
	return w.steps.String() + w.state().Dump()
}

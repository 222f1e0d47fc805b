package simulation

// Story returns what happens in a history, line by line.
func Story(seed uint64) string {
	w := newWorld(seed, 0)
	w.narrating = true
	w.run()
	return w.story.String() + w.state().Story()
}

package main

// onPurpose is what every change made by hand is told with.
type onPurpose struct {
	Reason string `help:"Why: recorded with the change." placeholder:"TEXT"`
	Yes    bool   `help:"Do not ask before changing a deployed stack."`
}

func (o onPurpose) check() error {
	if o.Reason == "" {
		return usage("it is recorded with the change: --reason 'ticket 4711: the provider confirmed it'", "--reason is missing")
	}
	return nil
}

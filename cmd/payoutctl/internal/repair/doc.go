// Package repair holds the commands that repair a stack: resolve conflicts, release
// and dismiss held callbacks, rebuild payouts, redrive dead-letter messages, sweep and
// publish again. Each change records actor and reason; the rules of the changes are
// those of pkg/ops.
package repair

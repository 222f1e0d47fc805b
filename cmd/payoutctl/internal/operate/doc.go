// Package operate holds the commands of daily operation: rotate keys, pause and resume
// parts of a stack, and send callbacks as a provider does.
package operate

// Package cli holds what the commands of payoutctl share: the session with its
// streams and global flags, the stack that a command works on, output as text
// and as JSON, and errors with their exit codes. It knows no command.
package cli

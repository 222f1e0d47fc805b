// Package display reads payouts with their receipts and formats them, as text for
// a person and as JSON for programs. It leaves to the commands which payouts to
// read and what to do with them.
package display

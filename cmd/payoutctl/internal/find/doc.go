// Package find holds the commands that find and explain payouts, receipts and
// callbacks. They change nothing.
package find

// Package send builds, signs and sends callbacks as a provider does, and compares
// the answers with the provider's documented ones. It leaves to the commands which
// callbacks to send to which stack, and with which key.
package send

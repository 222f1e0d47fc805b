// Package redrive looks into the dead-letter queue for a person, and takes
// letters out of it: back to the events queue, or, where they are not ours, into
// a file. No function imports it.
//
// A letter is deleted only after it is safely elsewhere: sent, or written to
// disk. Whatever stops the work in between leaves it in both places, which is
// harmless: an event is applied once however often it is delivered.
//
// What is only looked at is out of sight of others for as long as that takes,
// [Hidden] at most after a crash; then it is put back. Two people who work on
// one queue see each letter once between them, or, where one of them is slower
// than [Hidden], send it twice, which is harmless too.
package redrive

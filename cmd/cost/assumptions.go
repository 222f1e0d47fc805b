package main

import (
	"errors"
	"flag"
)

// assumptions are what no test can tell: how the providers behave and how fast
// AWS is. Flags change those that matter.
type assumptions struct {
	duplicates     int64 // percent of all callbacks that were told before
	eventsPerTen   int64 // distinct events of ten payouts
	ingressMillis  int64 // billed for one callback
	consumerMillis int64 // billed for a batch of one
	logDays        int64 // LogRetentionDays
	monthsKept     int64 // of receipts and payouts in the tables: nothing in them expires
	traced         bool
}

// usual is what the document assumes.
func usual() assumptions {
	return assumptions{
		// Pivot sends again what was not answered in time, a person pushes Cregis' again. One in twenty is many.
		duplicates: 5,
		// Most payouts are told of once, when they are final; Pivot tells of batches twice and more.
		eventsPerTen: 12,
		// A PutItem, then a SendMessage, each about 8 ms within a region, and a cold start in some hundred.
		ingressMillis: 25,
		// One transaction; the messages of a batch are applied side by side.
		consumerMillis: 20,
		logDays:        365, // what samconfig.toml gives production
		monthsKept:     12,  // the twelfth bill
		traced:         true,
	}
}

func (a *assumptions) flags(to *flag.FlagSet) {
	to.Int64Var(&a.duplicates, "duplicates", a.duplicates, "percent of the callbacks that were told before")
	to.Int64Var(&a.eventsPerTen, "events-per-ten-payouts", a.eventsPerTen, "distinct events of ten payouts")
	to.Int64Var(&a.ingressMillis, "ingress-ms", a.ingressMillis, "milliseconds billed for one callback")
	to.Int64Var(&a.consumerMillis, "consumer-ms", a.consumerMillis, "milliseconds billed for a batch of one message")
	to.Int64Var(&a.logDays, "log-days", a.logDays, "LogRetentionDays")
	to.Int64Var(&a.monthsKept, "months-kept", a.monthsKept, "months of receipts and payouts in the tables")
	to.BoolVar(&a.traced, "tracing", a.traced, "Tracing: Active")
}

func (a *assumptions) check() error {
	if a.duplicates < 0 || a.duplicates > 100 || a.eventsPerTen < 10 || min(a.ingressMillis, a.consumerMillis, a.logDays, a.monthsKept) < 1 {
		return errors.New("duplicates are 0 to 100 percent, ten payouts have at least 10 events, and the rest is at least 1")
	}
	return nil
}

// What nobody needs to change.
const (
	monthSeconds = 730 * 3600 // AWS's month
	sweeps       = monthSeconds / 60

	responseBytes = 1024 // out to the provider: status, headers, body, and its share of TLS handshakes

	// Milliseconds between two looks of one poller of the queue, and of Lambda at a stream: what comes meanwhile is
	// one batch.
	queuePollMillis  = 50
	streamPollMillis = 250
	longPollSeconds  = 20 // an empty receive

	publisherMillis = 10  // and as much again for each PutEvents
	publisherBatch  = 100 // BatchSize of the stream
	putEvents       = 10  // entries of one PutEvents
	publishLine     = 700 // bytes of log for a batch, and
	publishedID     = 60  // for each notice in it
	sweeperMillis   = 120 // 16 queries one after the other, and a receive

	logEventBytes  = 26  // that CloudWatch counts on top of each line
	logCompression = 15  // percent that a line takes once it is stored: CloudWatch's own example
	itemOverhead   = 100 // bytes that DynamoDB bills on top of each stored item and index entry

	// Lambda traces the first invocation of a second, of each function, and 5 percent of the others.
	tracedPerSecond, tracedPercent = 1, 5

	secretFreshSeconds = 300 // pkg/secret reads again
	keyFreshSeconds    = 300 // DynamoDB asks KMS again, for each role and table
	keyUsers           = 8   // pairs of a role and a table
	peak               = 3   // environments that are warm for each one busy on average
)

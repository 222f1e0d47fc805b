// Package dynamostore keeps receipts and payouts in two DynamoDB tables.
//
// The receipts table has the partition key payout and the sort key receipt, so
// that a payout's story is one Query. Its index unapplied holds a receipt only
// while it is not applied: the partition due is the receipt's state and one of
// a fixed number of shards, the sort key is the time at which it is due. Held
// receipts have partitions of their own and never stand in the sweep's way.
// Released and dismissed ones are out of it, as applied ones are.
//
// The payouts table has the partition key payout. Everything a record shows is
// derived from its parts, but status is stored beside them for people and
// queries. The index reference finds payouts by our own reference, the index
// conflicted those that a person has to look at.
//
// The merge law is not here: this package writes what package inbox decided,
// under the condition that it still holds.
package dynamostore

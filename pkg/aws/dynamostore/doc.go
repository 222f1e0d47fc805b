// Package dynamostore keeps receipts and payouts in two DynamoDB tables.
//
// The receipts table has the partition key payout and the sort key receipt, so
// one Query returns all receipts of a payout. Its index unapplied holds a receipt
// only while it is received or held: the partition key dueShard is the state and
// the number of a shard, the sort key dueAt is when it is due. Held receipts have
// partitions of their own, so they never delay the sweep. Its index claimed holds
// the receipts that a sweep has claimed, by when they were accepted.
//
// The payouts table has the partition key payout. A record's status follows from
// its other attributes; it is stored, too, for people and queries. The index
// reference finds payouts by our own reference, the index conflicted those that a
// person has to resolve.
//
// Package inbox decides what is written; this package writes it under conditions
// that fail if the decision is out of date.
package dynamostore

// Package notification defines the events that are published when a payout changes, for
// services that react to them; docs/EVENTS.md is written for their developers.
//
// A [Notification] states what the payout's record shows now, not what one callback
// stated, so it can be built from the table again at any time ([FromRecord]). Only its
// type says what changed: the status or the totals, else that the payout became
// confirmed or overdue. It holds no address, memo or body: a service needs
// to know which payout, how much and with which status, and cannot leak what it does
// not get.
//
// Notifications are delivered at least once and in any order. Version orders those of
// one payout: the greater version is the later one. A consumer keeps the greatest
// version that it has handled for each payout, and drops a notification whose version
// is not above it. It must not deduplicate by ID alone: a notification that is
// published again by hand has the version, and so the ID, that the payout has then.
//
// After a restore, or a rebuild of a payout that lost receipts, versions decrease and
// are used again; docs/EVENTS.md says how to handle that.
package notification

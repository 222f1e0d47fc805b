// Package reconcile finds out how payouts end whose callback never comes. It accepts
// what our own service ordered ([Expecter]), asks providers about payouts that are due
// ([Reconciler]), and hands every answer to package inbox, which merges it into the
// payout like a callback.
//
// It guarantees:
//
//   - an answer enters a payout as one more receipt, so it cannot overwrite what a
//     callback stated: both agree, or the payout is in conflict;
//   - only a provider's answer about this payout says anything about it: not found, in
//     process, unavailable and refused are no failed payouts;
//   - any number of runs may be active at once, and a run may end at any step: a payout
//     is asked about again when it is due next.
//
// How a provider is asked and what its answers mean is left to the packages of the
// providers; merging and the schedule of a payout are left to package inbox.
package reconcile

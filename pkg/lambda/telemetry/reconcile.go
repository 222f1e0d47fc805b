package telemetry

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
)

// RecordExpectation records one expectation. Its level is error if it could not be
// applied for a fault of ours.
func (r *Recorder) RecordExpectation(ctx context.Context, result reconcile.ExpectResult, took time.Duration, err error) {
	level, outcome := slog.LevelInfo, string(result.Result)
	var field string
	refused, isRefused := errors.AsType[*reconcile.FieldError](err)
	switch {
	case isRefused:
		level, outcome, field, err = slog.LevelWarn, "refused", refused.Field, errors.New(refused.Problem)
	case err != nil:
		level, outcome = slog.LevelError, "unavailable"
	case result.Result == reconcile.ExpectConflict:
		level = slog.LevelWarn
	}
	r.write(ctx, level, "expectation", []measurement{
		countIf(Expectations, err == nil),
		countIf(Conflicts, result.Result == reconcile.ExpectConflict),
	},
		text("provider", providerOf(result.Payout)),
		text("outcome", outcome),
		text("payout", result.Payout),
		text("field", asFieldName(field)),
		duration(took),
		failure(err))
}

// asFieldName returns the name of a field, and "unknown" for what a sender put in the
// place of a name.
func asFieldName(field string) string {
	if field == "" || slices.Contains(reconcile.ExpectationFields(), field) {
		return field
	}
	return "unknown"
}

func providerOf(id payout.ID) string {
	if id == "" {
		return ""
	}
	return id.Provider()
}

// RecordReconcile records one run of the reconciler: a line for each account that cannot
// be asked, a line for each provider with answers that are held, and the counts of the
// run. A run that could not list what is due has no counts, and without the states of the
// accounts (nil) their number is not recorded: a zero would clear alarms.
func (r *Recorder) RecordReconcile(ctx context.Context, result reconcile.RunResult, accounts map[string]reconcile.AccountState,
	took time.Duration, err error,
) {
	reported := map[string]bool{}
	for _, report := range result.Failing {
		if !reported[report.Account] {
			r.recordAccount(ctx, report)
		}
		reported[report.Account] = true
	}
	for _, provider := range slices.Sorted(maps.Keys(result.HeldAnswers)) {
		r.write(ctx, slog.LevelWarn, "held answers", []measurement{{Held, result.HeldAnswers[provider]}}, text("provider", provider))
	}
	level := slog.LevelInfo
	if err != nil || result.Damaged > 0 {
		level = slog.LevelError
	}
	answered, failed := countQueries(result.Outcomes)
	var measurements []measurement
	if err == nil || result.Due+result.Held > 0 {
		measurements = []measurement{
			{QueriesAnswered, answered}, {QueriesFailed, failed}, {Overdue, result.Overdue}, {CorruptRecords, result.Damaged},
		}
	}
	if accounts != nil {
		measurements = append(measurements, measurement{AccountsFailing, countFailing(accounts)})
	}
	r.write(ctx, level, "reconcile", measurements,
		slog.Int("due", result.Due),
		slog.Int("held", result.Held),
		slog.Any("outcomes", result.Outcomes),
		slog.Int("statements", result.Accepted),
		slog.Int("answered", result.Answered),
		slog.Int("busy", result.Busy),
		duration(took),
		failure(err))
}

// RecordAsk records an operator's request to ask now. It counts nothing: the alarms are
// about what is due.
func (r *Recorder) RecordAsk(ctx context.Context, response reconcile.AskResponse, took time.Duration, err error) {
	outcomes := map[reconcile.Outcome]int{}
	for _, result := range response.Payouts {
		outcomes[result.Outcome]++
	}
	for _, check := range response.Accounts {
		outcomes[check.Outcome]++
	}
	level := slog.LevelInfo
	if err != nil {
		level = slog.LevelError
	}
	r.write(ctx, level, "ask", nil, slog.Any("outcomes", outcomes), duration(took), failure(err))
}

// countQueries counts the payouts about which the provider answered, and those about
// which it was asked in vain.
func countQueries(outcomes map[reconcile.Outcome]int) (answered, failed int) {
	for outcome, count := range outcomes {
		switch {
		case outcome.IsAnswer():
			answered += count
		case outcome == reconcile.NotAsked || outcome == reconcile.NoCredentials || outcome == reconcile.NoID:
		default:
			failed += count
		}
	}
	return answered, failed
}

// countFailing counts the accounts that were paused and have not answered since.
func countFailing(accounts map[string]reconcile.AccountState) int {
	failing := 0
	for _, state := range accounts {
		if !state.PausedUntil.IsZero() {
			failing++
		}
	}
	return failing
}

// recordAccount records why an account cannot be asked. Its level is error if waiting
// does not help.
func (r *Recorder) recordAccount(ctx context.Context, report reconcile.AccountReport) {
	level := slog.LevelError
	if report.Cause == reconcile.RateLimited || report.Cause == reconcile.Unavailable {
		level = slog.LevelWarn
	}
	provider, account, _ := strings.Cut(report.Account, "/")
	r.write(ctx, level, "account", nil,
		text("provider", provider),
		text("account", account),
		text("outcome", report.Cause),
		text("err", report.Detail))
}

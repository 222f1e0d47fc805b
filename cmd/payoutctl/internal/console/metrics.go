package console

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/lambda/telemetry"
)

// metricPeriod is the interval in which CloudWatch keeps the metrics for 15 days.
const metricPeriod = time.Minute

// shownMetrics are the metrics of the overview, by the ids of their queries.
func shownMetrics() map[string]telemetry.Metric {
	return map[string]telemetry.Metric{
		"callbacks": telemetry.Callbacks, "acknowledged": telemetry.Acknowledged, "duplicates": telemetry.Duplicates, "held": telemetry.Held,
		"refused": telemetry.Refused, "unavailable": telemetry.Unavailable, "published": telemetry.Published, "oldest": telemetry.OldestUnappliedAge,
	}
}

// readMetrics returns the activity of a deployed stack from its metrics of the last
// intervals of a minute, which are complete after a few minutes. The latencies are the
// ages of the oldest receipt that is not applied.
func readMetrics(ctx context.Context, stack cli.Stack, now time.Time, intervals int) (activity, int, error) {
	begin := now.Truncate(metricPeriod).Add(-time.Duration(intervals-1) * metricPeriod)
	var queries []types.MetricDataQuery
	for id, metric := range shownMetrics() {
		statistic := types.StatisticSum
		if metric == telemetry.OldestUnappliedAge {
			statistic = types.StatisticMaximum
		}
		queries = append(queries, types.MetricDataQuery{Id: &id, MetricStat: &types.MetricStat{
			Metric: &types.Metric{Namespace: aws.String("PayoutCallbacks/" + stack.Name), MetricName: &metric.Name},
			Period: aws.Int32(int32(metricPeriod.Seconds())), Stat: aws.String(string(statistic)),
		}})
	}
	out, err := cloudwatch.NewFromConfig(stack.AWS).GetMetricData(ctx, &cloudwatch.GetMetricDataInput{
		MetricDataQueries: queries, StartTime: &begin, EndTime: aws.Time(now.Add(metricPeriod)),
	})
	if err != nil {
		return activity{}, 0, err
	}
	shown := activity{Verdicts: map[string]int{}, Callbacks: make([]int, intervals), Latencies: make([]int, intervals)}
	sums := map[string]int{}
	for _, result := range out.MetricDataResults {
		id := aws.ToString(result.Id)
		for n, at := range result.Timestamps[:min(len(result.Timestamps), len(result.Values))] {
			interval := int(at.Sub(begin) / metricPeriod)
			if at.Before(begin) || interval >= intervals {
				continue
			}
			value := int(result.Values[n])
			switch sums[id] += value; id {
			case "callbacks":
				shown.Callbacks[interval] = value
			case "oldest":
				shown.Latencies[interval] = value * int(time.Second/time.Millisecond)
			}
		}
	}
	shown.Verdicts = map[string]int{
		accepted: max(0, sums["acknowledged"]-sums["held"]), duplicate: sums["duplicates"], held: sums["held"],
		refused: sums["refused"], unavailable: sums["unavailable"],
	}
	return shown, sums["published"], nil
}

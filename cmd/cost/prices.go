package main

import (
	"fmt"
	"math/big"
	"strings"
)

// price is what AWS asks for one thing, by volume in a month. Free tiers are
// left out: other things in the account use them up.
type price struct {
	what    string // what is billed
	counted string // what the bill counts of it
	unit    string // of the dollars below
	per     int64  // how many of what is counted are one unit
	tiers   []tier
	from    string // the page that says so; fromMemory where none was found
}

// tier is a price up to a number of what is counted; 0 is the last tier.
type tier struct {
	upTo    int64
	dollars string
}

// region, processor and day that the prices are of. The pages were read as
// stored copies, not live, and most are not AWS's own, whose pages load their
// tables by script: check what matters to you before you sign for it.
const (
	priceRegion = "us-east-1, arm64"
	priceRead   = "2026-11-21"
	fromMemory  = "from memory, to be checked"
)

const (
	million  = 1_000_000
	gigabyte = 1 << 30 // AWS's GB
	terabyte = 1 << 40
	// What is counted of compute: megabytes times milliseconds.
	gigabyteSecond = 1024 * 1000
)

var (
	apiRequest = price{"HTTP API, requests of up to 512 KB", "requests", "million", million,
		[]tier{{300 * million, "1.00"}, {0, "0.90"}}, "https://www.learnaws.org/2021/01/10/api-gateway-pricing/"}
	lambdaRequest = price{"Lambda, requests", "requests", "million", million,
		flat("0.20"), "https://git.mcrn.ar/mariano/lambda_local_runner/src/branch/main/docs/lambdas-md/lambda-13-cost.md"}
	lambdaCompute = price{"Lambda, GB-seconds on arm64", "MB-ms", "GB-second", gigabyteSecond,
		[]tier{{75e8 * gigabyteSecond, "0.0000133334"}, {1875e7 * gigabyteSecond, "0.0000120001"}, {0, "0.0000106667"}},
		"https://cloudchipr.com/blog/aws-lambda-pricing, https://aws.amazon.com/blogs/compute/introducing-tiered-pricing-for-aws-lambda/"}
	writeUnitPrice = price{"DynamoDB on demand, write request units", "write units", "million", million,
		flat("0.625"), "https://airbyte.com/data-engineering-resources/dynamodb-pricing"}
	readUnitPrice = price{"DynamoDB on demand, read request units", "read units", "million", million,
		flat("0.125"), "https://airbyte.com/data-engineering-resources/dynamodb-pricing"}
	tableStorage = price{"DynamoDB, storage", "byte-months", "GB-month", gigabyte,
		flat("0.25"), "https://aws.amazon.com/dynamodb/pricing/"}
	tableRecovery = price{"DynamoDB, point-in-time recovery", "byte-months", "GB-month", gigabyte,
		flat("0.20"), fromMemory}
	queueRequest = price{"SQS standard queue, requests of up to 64 KB", "requests", "million", million,
		[]tier{{100_000 * million, "0.40"}, {200_000 * million, "0.30"}, {0, "0.24"}}, "https://cloudburn.io/blog/amazon-sqs-pricing"}
	// Which requests it is asked for was not found: all of a message's are taken.
	queueGroup = price{"SQS, surcharge on messages with a group (fair queues)", "requests", "million", million,
		flat("0.10"), "https://cloudburn.io/blog/amazon-sqs-pricing"}
	logIngestion = price{"CloudWatch Logs, ingestion of Lambda's and vended logs", "bytes", "GB", gigabyte,
		[]tier{{10 * terabyte, "0.50"}, {30 * terabyte, "0.25"}, {50 * terabyte, "0.10"}, {0, "0.05"}},
		"https://www.duckbillgroup.com/?p=9080 (its example fixes the tiers)"}
	logStorage = price{"CloudWatch Logs, storage of compressed logs", "byte-months", "GB-month", gigabyte,
		flat("0.03"), "https://hykell.com/kb/platform-specific-guides/aws-cloudwatch-logs-pricing"}
	customMetric = price{"CloudWatch, custom metrics", "metrics", "metric", 1,
		[]tier{{10_000, "0.30"}, {250_000, "0.10"}, {1_000_000, "0.05"}, {0, "0.02"}},
		"https://signoz.io/guides/cloudwatch-pricing (first tier; the others " + fromMemory + ")"}
	alarmMetric = price{"CloudWatch, metrics that alarms look at", "metrics", "metric", 1,
		flat("0.10"), "https://c3x.dev/resources/aws/aws_cloudwatch_metric_alarm (by metric, where an expression has several: " + fromMemory + ")"}
	dashboardMonth = price{"CloudWatch, dashboards", "dashboards", "dashboard", 1,
		flat("3.00"), "https://www.factualminds.com/blog/amazon-cloudwatch-pricing-metrics-logs-alarms-dashboards/"}
	trace = price{"X-Ray, traces recorded", "traces", "million", million,
		flat("5.00"), "https://aws.amazon.com/de/xray/pricing/"}
	secretMonth = price{"Secrets Manager, secrets", "secrets", "secret", 1,
		flat("0.40"), "https://hivebook.wiki/wiki/aws-secrets-manager-rotated-secrets-dynamic-db-credentials-kms"}
	secretRead = price{"Secrets Manager, requests", "requests", "10,000", 10_000,
		flat("0.05"), "https://hivebook.wiki/wiki/aws-secrets-manager-rotated-secrets-dynamic-db-credentials-kms"}
	keyRequest = price{"KMS, requests to the key of DynamoDB", "requests", "10,000", 10_000,
		flat("0.03"), "https://usage.ai/blogs/aws/reserved-instances/dynamodb/encryption-cost/"}
	busEvent = price{"EventBridge, custom events of up to 64 KB", "events", "million", million,
		flat("1.00"), "https://cloudburn.io/blog/amazon-eventbridge-pricing"}
	scheduledRun = price{"EventBridge Scheduler, invocations", "invocations", "million", million,
		flat("1.00"), "https://cloudburn.io/blog/amazon-eventbridge-pricing"}
	transferOut = price{"Data out to the internet", "bytes", "GB", gigabyte,
		[]tier{{10 * terabyte, "0.09"}, {50 * terabyte, "0.085"}, {150 * terabyte, "0.07"}, {0, "0.05"}},
		"https://awsforengineers.com/blog/aws-api-gateway-pricing-explained (first tier; the others " + fromMemory + ")"}
)

// prices lists them all, as the document does.
func prices() []price {
	return []price{
		apiRequest, lambdaRequest, lambdaCompute, writeUnitPrice, readUnitPrice, tableStorage, tableRecovery,
		queueRequest, queueGroup, logIngestion, logStorage, customMetric, alarmMetric, dashboardMonth, trace,
		secretMonth, secretRead, keyRequest, busEvent, scheduledRun, transferOut,
	}
}

func flat(dollars string) []tier { return []tier{{0, dollars}} }

// of is the price of so much, to the millionth of a dollar.
func (p price) of(quantity int64) micros {
	sum := new(big.Rat)
	below := int64(0)
	for _, t := range p.tiers {
		here := quantity - below
		if t.upTo > 0 {
			here = min(quantity, t.upTo) - below
		}
		if here <= 0 {
			break
		}
		dollars, ok := new(big.Rat).SetString(t.dollars)
		if !ok {
			panic("cost: a price that is no number: " + t.dollars)
		}
		sum.Add(sum, dollars.Mul(dollars, big.NewRat(here, p.per)))
		below = t.upTo
	}
	sum.Mul(sum, big.NewRat(million, 1)).Add(sum, big.NewRat(1, 2))
	return micros(new(big.Int).Quo(sum.Num(), sum.Denom()).Int64())
}

// steps says the tiers as text.
func (p price) steps() string {
	var told []string
	for _, t := range p.tiers {
		text := "$" + t.dollars
		if t.upTo > 0 && len(p.tiers) > 1 {
			text += " up to " + grouped(t.upTo/p.per) + " " + p.unit
		}
		told = append(told, text)
	}
	return strings.Join(told, ", then ")
}

// micros is an amount in millionths of a dollar.
type micros int64

// String is in dollars and cents, rounded.
func (m micros) String() string {
	cents := (m + 5_000) / 10_000
	return fmt.Sprintf("%s.%02d", grouped(int64(cents/100)), cents%100)
}

// MarshalJSON is a number of dollars.
func (m micros) MarshalJSON() ([]byte, error) { //nolint:unparam // json.Marshaler has an error
	return fmt.Appendf(nil, "%d.%06d", m/million, m%million), nil
}

// grouped is a number with its thousands apart.
func grouped(n int64) string {
	text := fmt.Sprint(n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

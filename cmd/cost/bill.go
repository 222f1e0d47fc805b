package main

// line is one line of a month's bill.
type line struct {
	Service  string `json:"service"`
	Item     string `json:"item"`
	Quantity int64  `json:"quantity"`
	Unit     string `json:"unit"` // of the quantity
	Cost     micros `json:"dollars"`
	Driver   string `json:"driver"`
}

// month is what comes in and what it causes.
type month struct {
	assumptions
	counts

	callbacks, duplicates int64
	events                int64 // distinct
	payouts, later        int64 // first events, and the later ones
	batches, inBatch      int64 // of the consumer
	notices, published    int64 // on the bus, and batches of the publisher
	inPublished           int64
}

func monthOf(a assumptions, callbacks int64) month {
	m := month{assumptions: a, counts: counted, callbacks: callbacks}
	m.duplicates = callbacks * a.duplicates / 100
	m.events = callbacks - m.duplicates
	m.payouts = m.events * 10 / a.eventsPerTen
	m.later = m.events - m.payouts
	m.inBatch = fill(m.events, queuePollMillis, m.Pollers, m.BatchSize)
	m.batches = ceil(m.events, m.inBatch)
	m.notices = m.events // at most: what changes nothing is not published
	m.inPublished = fill(m.notices, streamPollMillis, 1, publisherBatch)
	m.published = ceil(m.notices, m.inPublished)
	return m
}

// bill is what a month of so many callbacks costs. Tiers are met line by line,
// which is a little too dear where several lines share one.
func bill(a assumptions, callbacks int64) []line {
	m := monthOf(a, callbacks)
	var all []line
	for _, part := range [][]line{m.gateway(), m.functions(), m.tables(), m.queue(), m.bus(), m.logs(), m.watch(), m.keys()} {
		all = append(all, part...)
	}
	return all
}

func (m month) gateway() []line {
	return []line{
		of("API Gateway", "requests", m.callbacks, apiRequest, "callbacks, duplicates and forgeries included"),
		of("Data transfer", "answers", m.callbacks*responseBytes, transferOut, "callbacks; what comes in is free"),
	}
}

func (m month) functions() []line {
	consumerMillis := m.consumerMillis + m.inBatch - 1
	publisherTook := publisherMillis * (1 + ceil(m.inPublished, putEvents))
	return []line{
		of("Lambda", "ingress, requests", m.callbacks, lambdaRequest, "callbacks"),
		of("Lambda", "ingress, compute", m.callbacks*m.ingressMillis*m.Memory, lambdaCompute, "two requests to AWS, one after the other"),
		of("Lambda", "consumer, requests", m.batches, lambdaRequest, "messages in a batch"),
		of("Lambda", "consumer, compute", m.batches*consumerMillis*m.Memory, lambdaCompute, "messages in a batch, applied side by side"),
		of("Lambda", "publisher, requests", m.published, lambdaRequest, "records in a batch of the stream"),
		of("Lambda", "publisher, compute", m.published*publisherTook*m.Memory, lambdaCompute, "notices, ten for each request"),
		of("Lambda", "sweeper, requests", sweeps, lambdaRequest, "one a minute"),
		of("Lambda", "sweeper, compute", sweeps*sweeperMillis*m.Memory, lambdaCompute, "one a minute, each shard of the index"),
	}
}

func (m month) tables() []line {
	indexed := m.monthsKept * m.payouts * (m.ReferenceEntry + itemOverhead)
	w := m.writeUnits()
	return []line{
		of("DynamoDB", "receipts", w.receipts, writeUnitPrice, "distinct events, 1 KB each"),
		of("DynamoDB", "duplicates", w.duplicates, writeUnitPrice, "a refused put is paid for"),
		of("DynamoDB", "index of unapplied receipts", w.unapplied, writeUnitPrice, "an entry in, and out"),
		of("DynamoDB", "transactions", w.transactions, writeUnitPrice, "receipt and payout, twice; later events of a payout twice more"),
		of("DynamoDB", "index by reference", w.reference, writeUnitPrice, "payouts with a reference"),
		of("DynamoDB", "sweeper", sweeps*ceil(m.SweepQueries, 2), readUnitPrice, "each shard of the index, every minute, half a unit"),
		of("DynamoDB", "storage", m.kept()+indexed, tableStorage, "everything so far: nothing expires"),
		of("DynamoDB", "point-in-time recovery", m.kept(), tableRecovery, "the tables' size"),
	}
}

// writes are the write units of a month, by what they are for.
type writes struct{ receipts, duplicates, unapplied, transactions, reference int64 }

func (m month) writeUnits() writes {
	receipt, payout := writeUnits(m.Receipt), writeUnits(m.Payout)
	transaction := transactional * (receipt + payout)
	return writes{
		receipts:     m.events * m.AcceptPuts * receipt,
		duplicates:   m.duplicates * m.DuplicatePuts * receipt,
		unapplied:    m.events * 2 * writeUnits(m.UnappliedEntry),
		transactions: (m.payouts*m.ApplyTransactions + m.later*m.LaterTransactions) * transaction,
		reference:    m.payouts * writeUnits(m.ReferenceEntry),
	}
}

func (w writes) all() int64 {
	return w.receipts + w.duplicates + w.unapplied + w.transactions + w.reference
}

// kept is how large both tables are by then, without their indexes.
func (m month) kept() int64 {
	return m.monthsKept * (m.events*(m.Receipt+itemOverhead) + m.payouts*(m.Payout+itemOverhead))
}

func (m month) queue() []line {
	sends := m.events * m.AcceptSends * queueRequests(m.Message)
	receives := m.batches * queueRequests(m.inBatch*m.Message)
	deletes := m.batches
	empty := m.Pollers * monthSeconds / longPollSeconds
	return []line{
		of("SQS", "sends", sends, queueRequest, "distinct events, one message each"),
		of("SQS", "receives and deletes", receives+deletes, queueRequest, "messages in a batch"),
		of("SQS", "message groups", sends+receives+deletes, queueGroup, "a message names its account, so that none delays the others"),
		of("SQS", "empty receives", empty, queueRequest, "ConsumerConcurrency; fewer when there is work"),
		of("SQS", "sweeper", sweeps*m.SweepReceives, queueRequest, "looks for dead letters every minute"),
	}
}

func (m month) bus() []line {
	return []line{
		of("EventBridge", "notices", m.notices, busEvent, "changes of payouts; rules on the same account are free"),
		of("EventBridge", "scheduler", sweeps, scheduledRun, "one a minute"),
	}
}

func (m month) logs() []line {
	written := func(times, size int64) int64 { return times * (size + logEventBytes) }
	callbacks := written(m.callbacks, m.AccessLine) + written(m.events, m.NewLine) + written(m.duplicates, m.DuplicateLine) +
		written(m.events, m.DeliveryLine) + written(m.batches, m.BatchLine) +
		written(m.published, publishLine) + m.notices*publishedID
	bytes := callbacks + written(sweeps, m.SweepLine)
	return []line{
		of("CloudWatch", "logs, ingestion", bytes, logIngestion, "a line each of gateway, ingress and consumer"),
		of("CloudWatch", "logs, storage", bytes*logCompression/100*m.logDays/30, logStorage, "LogRetentionDays"),
	}
}

func (m month) watch() []line {
	told := []line{
		of("CloudWatch", "metrics", m.Metrics, customMetric, "names, and providers for some"),
		of("CloudWatch", "alarms", m.AlarmMetrics, alarmMetric, "an expression is as many as it looks at"),
		of("CloudWatch", "dashboards", m.Dashboards, dashboardMonth, "one"),
	}
	if m.traced {
		traces := tracesOf(m.callbacks, m.Ingresses) + tracesOf(m.batches, 1) + tracesOf(m.published, 1) + tracesOf(sweeps, 1)
		told = append(told, of("X-Ray", "traces", traces, trace, "one a second of each function, and 5 % of the rest"))
	}
	return told
}

func (m month) keys() []line {
	busy := m.callbacks*m.ingressMillis/(monthSeconds*1000)*peak + m.Ingresses
	return []line{
		of("Secrets Manager", "secrets", m.Secrets, secretMonth, "providers"),
		of("Secrets Manager", "reads", busy*monthSeconds/secretFreshSeconds, secretRead, "warm environments, every five minutes"),
		of("KMS", "requests", keyUsers*monthSeconds/keyFreshSeconds, keyRequest, "SSESpecification: roles and tables, every five minutes"),
	}
}

func of(service, item string, quantity int64, asked price, driver string) line {
	return line{service, item, quantity, asked.counted, asked.of(quantity), driver}
}

// Package eventbus publishes notifications on an EventBridge bus, whose rules send
// them to other services.
//
// It says for each notification that is not published whether a retry can help.
// When to retry is left to its callers.
package eventbus

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"payout-callbacks/pkg/notification"
)

// Source is the source of every event. If several stacks forward to one bus, the
// resources of an event, which name its bus, distinguish them.
const Source = "payout-callbacks"

// Limits of EventBridge for one PutEvents. The size is that of all entries together.
const (
	maxEntries = 10
	maxBytes   = 1_000_000
)

// Bus is an EventBridge bus. It is safe for concurrent use.
type Bus struct {
	Client *eventbridge.Client
	Name   string
}

// New returns the bus with a name, in the region of the SDK's configuration.
func New(sdk aws.Config, name string) *Bus {
	return &Bus{Client: eventbridge.NewFromConfig(sdk), Name: name}
}

// Publish publishes the notifications. It returns how many, counted from the first,
// are published, and why the next one is not; some behind that one may be
// published, too. It stops after the first request with a failure. An error that is
// [notification.ErrUnpublishable] is final.
func (b *Bus) Publish(ctx context.Context, notifications []notification.Notification) (int, error) {
	published := 0
	for published < len(notifications) {
		entries, err := b.entries(notifications[published:])
		if err != nil {
			return published, err
		}
		n, err := b.put(ctx, entries)
		published += n
		if err != nil {
			return published, fmt.Errorf("publish %s: %w", notifications[published].ID, err)
		}
	}
	return published, nil
}

// entries returns as many of the notifications, from the first, as fit into one
// request.
func (b *Bus) entries(notifications []notification.Notification) ([]types.PutEventsRequestEntry, error) {
	var entries []types.PutEventsRequestEntry
	size := 0
	for _, n := range notifications[:min(len(notifications), maxEntries)] {
		entry, err := b.entry(n)
		if err != nil && len(entries) == 0 {
			return nil, err
		}
		size += entrySize(entry)
		if err != nil || size > maxBytes {
			return entries, nil //nolint:nilerr // the next request begins with this notification and returns the error
		}
		entries = append(entries, entry)
	}
	return entries, nil
}

func (b *Bus) entry(n notification.Notification) (types.PutEventsRequestEntry, error) {
	var detail bytes.Buffer
	encoder := json.NewEncoder(&detail)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(n); err != nil {
		return types.PutEventsRequestEntry{}, fmt.Errorf("encode %s: %w: %w", n.ID, notification.ErrUnpublishable, err)
	}
	entry := types.PutEventsRequestEntry{
		EventBusName: &b.Name,
		Source:       aws.String(Source),
		DetailType:   aws.String(string(n.Type)),
		Detail:       aws.String(strings.TrimSuffix(detail.String(), "\n")),
		Resources:    []string{b.Name},
	}
	if size := entrySize(entry); size > maxBytes {
		return entry, fmt.Errorf("encode %s: %w: it has %d bytes", n.ID, notification.ErrUnpublishable, size)
	}
	return entry, nil
}

// entrySize returns the size of an entry as EventBridge counts it.
func entrySize(entry types.PutEventsRequestEntry) int {
	size := len(aws.ToString(entry.Source)) + len(aws.ToString(entry.DetailType)) + len(aws.ToString(entry.Detail))
	for _, resource := range entry.Resources {
		size += len(resource)
	}
	return size
}

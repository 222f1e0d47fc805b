// Package eventbus puts notices on an EventBridge bus, where rules hand them on
// to the services that react.
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

// Source is the source of every event. Where the buses of several stacks are
// forwarded to one, the event's resources tell them apart: they name the bus.
const Source = "payout-callbacks"

// Bounds of EventBridge on one PutEvents. The size is that of all entries
// together, and must stay below a megabyte.
const (
	maxEntries = 10
	maxBytes   = 1_000_000
)

// Bus is one EventBridge bus. It is safe for concurrent use.
type Bus struct {
	Client *eventbridge.Client
	Name   string
}

// New returns the bus of that name, in the region and as whom the SDK is configured.
func New(sdk aws.Config, name string) *Bus {
	return &Bus{Client: eventbridge.NewFromConfig(sdk), Name: name}
}

// Publish puts the notices on the bus and returns how many of them, counted
// from the first, are there; the error says why the next one is not. Some of
// those behind it may be there nevertheless. It stops at the first request of
// which anything failed.
func (b *Bus) Publish(ctx context.Context, notices []notification.Notification) (int, error) {
	published := 0
	for published < len(notices) {
		entries, err := b.entries(notices[published:])
		if err != nil {
			return published, err
		}
		n, err := b.put(ctx, entries)
		published += n
		if err != nil {
			return published, fmt.Errorf("notice %s: %w", notices[published].ID, err)
		}
	}
	return published, nil
}

// entries returns as many of the notices, from the first, as one request takes.
func (b *Bus) entries(notices []notification.Notification) ([]types.PutEventsRequestEntry, error) {
	var entries []types.PutEventsRequestEntry
	size := 0
	for _, notice := range notices[:min(len(notices), maxEntries)] {
		entry, err := b.entry(notice)
		if err != nil && len(entries) == 0 {
			return nil, err
		}
		size += sizeOf(entry)
		if err != nil || size > maxBytes {
			return entries, nil //nolint:nilerr // the next request begins with this one, and says so
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
		return types.PutEventsRequestEntry{}, fmt.Errorf("notice %s: %w: %w", n.ID, notification.ErrUnpublishable, err)
	}
	entry := types.PutEventsRequestEntry{
		EventBusName: &b.Name,
		Source:       aws.String(Source),
		DetailType:   aws.String(string(n.Type)),
		Detail:       aws.String(strings.TrimSuffix(detail.String(), "\n")),
		Resources:    []string{b.Name},
	}
	if size := sizeOf(entry); size > maxBytes {
		return entry, fmt.Errorf("notice %s: %w: it has %d bytes", n.ID, notification.ErrUnpublishable, size)
	}
	return entry, nil
}

// sizeOf is what EventBridge counts of an entry.
func sizeOf(entry types.PutEventsRequestEntry) int {
	size := len(aws.ToString(entry.Source)) + len(aws.ToString(entry.DetailType)) + len(aws.ToString(entry.Detail))
	for _, resource := range entry.Resources {
		size += len(resource)
	}
	return size
}

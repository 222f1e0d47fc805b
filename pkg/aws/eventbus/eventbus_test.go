package eventbus_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/aws/eventbus"
	"payout-callbacks/pkg/notification"
)

// request is a request to EventBridge.
type request struct {
	Entries []struct {
		EventBusName, Source, DetailType, Detail string
		Resources                                []string
	}
}

// newBus returns a bus whose requests answer answers, and the requests.
func newBus(t *testing.T, answer func(request) (int, string)) (*eventbus.Bus, *[]request) {
	t.Helper()
	var sent []request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, httpRequest *http.Request) {
		var r request
		body, err := io.ReadAll(httpRequest.Body)
		if err != nil || httpRequest.Header.Get("X-Amz-Target") != "AWSEvents.PutEvents" {
			t.Errorf("%s, %v", httpRequest.Header.Get("X-Amz-Target"), err)
		}
		if err := json.Unmarshal(body, &r); err != nil {
			t.Error(err)
		}
		sent = append(sent, r)
		code, text := answer(r)
		w.WriteHeader(code)
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(server.Close)
	return eventbus.New(aws.Config{
		Region: "us-east-1", BaseEndpoint: &server.URL, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}, "demo-payouts"), &sent
}

// publishAll answers that all entries are published.
func publishAll(r request) (int, string) {
	return http.StatusOK, newAnswer(make([]string, len(r.Entries)))
}

// newAnswer returns the answer for entries with error codes, "" for published ones.
func newAnswer(codes []string) string {
	failed, entries := 0, []string{}
	for n, code := range codes {
		if code != "" {
			failed++
			entries = append(entries, fmt.Sprintf(`{"ErrorCode":%q,"ErrorMessage":"canary"}`, code))
			continue
		}
		entries = append(entries, fmt.Sprintf(`{"EventId":"%d"}`, n))
	}
	return fmt.Sprintf(`{"FailedEntryCount":%d,"Entries":[%s]}`, failed, strings.Join(entries, ","))
}

func newNotifications(n int) []notification.Notification {
	var all []notification.Notification
	for i := range n {
		all = append(all, notification.Notification{
			Schema: 1, ID: fmt.Sprintf("cregis/payout/7/%d#1", i), Type: notification.PayoutSucceeded, Reason: "<&>",
			UpdatedAt: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC),
		})
	}
	return all
}

func TestPublish_Entry(t *testing.T) {
	b, sent := newBus(t, publishAll)
	notifications := newNotifications(1)
	if n, err := b.Publish(t.Context(), notifications); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	got := (*sent)[0].Entries[0]
	var detail notification.Notification
	if err := json.Unmarshal([]byte(got.Detail), &detail); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(notifications[0], detail); diff != "" {
		t.Errorf("detail (-want +got):\n%s", diff)
	}
	if !strings.Contains(got.Detail, "<&>") || strings.HasSuffix(got.Detail, "\n") {
		t.Errorf("detail: %q, want it compact", got.Detail)
	}
	if got.EventBusName != "demo-payouts" || got.Source != "payout-callbacks" || got.DetailType != "PayoutSucceeded" ||
		!cmp.Equal(got.Resources, []string{"demo-payouts"}) {
		t.Errorf("got %+v", got)
	}
}

func TestPublish_RequestLimits(t *testing.T) {
	long := strings.Repeat("x", 400_000)
	var many []notification.Notification
	for _, n := range newNotifications(5) {
		n.Reason = long
		many = append(many, n)
	}
	for name, test := range map[string]struct {
		notifications []notification.Notification
		want          []int
	}{
		"none":          {nil, nil},
		"ten":           {newNotifications(10), []int{10}},
		"twenty-one":    {newNotifications(21), []int{10, 10, 1}},
		"large ones":    {many, []int{2, 2, 1}},
		"and small":     {append(newNotifications(9), many...), []int{10, 2, 2}},
		"small between": {append(many[:1:1], append(newNotifications(2), many[:2]...)...), []int{4, 1}},
	} {
		b, sent := newBus(t, publishAll)
		n, err := b.Publish(t.Context(), test.notifications)
		var got []int
		for _, r := range *sent {
			got = append(got, len(r.Entries))
		}
		if n != len(test.notifications) || err != nil || !cmp.Equal(test.want, got) {
			t.Errorf("%s: published %d, %v, in requests of %v, want %v", name, n, err, got, test.want)
		}
	}
}

// The publisher skips a notification that can never be published.
func TestPublish_Unpublishable(t *testing.T) {
	for name, damage := range map[string]func(*notification.Notification){
		"too large":        func(n *notification.Notification) { n.Reason = strings.Repeat("x", 1_000_000) },
		"year beyond 9999": func(n *notification.Notification) { n.UpdatedAt = time.UnixMilli(1 << 60) },
	} {
		b, sent := newBus(t, publishAll)
		all := newNotifications(12)
		damage(&all[11])
		n, err := b.Publish(t.Context(), all)
		if n != 11 || !errors.Is(err, notification.ErrUnpublishable) || !strings.Contains(err.Error(), all[11].ID) || len(*sent) != 2 {
			t.Errorf("%s: published %d in %d requests, %v; want 11 and ErrUnpublishable", name, n, len(*sent), err)
		}
	}
}

func TestPublish_FailedEntries(t *testing.T) {
	for name, test := range map[string]struct {
		code   int
		answer string
		want   int
		cause  string
	}{
		"all published":    {200, newAnswer(make([]string, 10)), 12, ""},
		"the first failed": {200, newAnswer([]string{"InternalFailure", "", "", "", "", "", "", "", "", ""}), 0, "1 of 10 failed: InternalFailure"},
		"some failed":      {200, newAnswer([]string{"", "", "", "ThrottlingException", "", "InternalFailure", "", "", "", ""}), 3, "2 of 10 failed: ThrottlingException"},
		"none named":       {200, `{"FailedEntryCount":1,"Entries":[]}`, 0, "names none"},
		"the request":      {400, `{"__type":"AccessDeniedException"}`, 0, "AccessDenied"},
	} {
		first := true
		b, sent := newBus(t, func(r request) (int, string) {
			if first {
				first = false
				return test.code, test.answer
			}
			return publishAll(r)
		})
		n, err := b.Publish(t.Context(), newNotifications(12))
		if n != test.want || (err == nil) != (test.cause == "") || err != nil && !strings.Contains(err.Error(), test.cause) {
			t.Errorf("%s: published %d, %v; want %d and %q", name, n, err, test.want, test.cause)
		}
		if err != nil && (len(*sent) != 1 || strings.Contains(err.Error(), "canary")) {
			t.Errorf("%s: %d requests, want none after the failure: %v", name, len(*sent), err)
		}
	}
}

// Temporary errors are retried, other errors of an entry are final.
func TestPublish_ErrorCodes(t *testing.T) {
	for code, final := range map[string]bool{
		"InternalFailure": false, "ThrottlingException": false, "ServiceUnavailable": false,
		"MalformedDetail": true, "InvalidArgument": true, "RedactionFailure": true, "SomethingNew": true,
		"AccessDeniedException": true, "NotAuthorizedForSourceException": true, "NotAuthorizedForDetailTypeException": true,
	} {
		b, _ := newBus(t, func(request) (int, string) { return http.StatusOK, newAnswer([]string{"", code, ""}) })
		n, err := b.Publish(t.Context(), newNotifications(3))
		if n != 1 || errors.Is(err, notification.ErrUnpublishable) != final || !strings.Contains(err.Error(), newNotifications(2)[1].ID) {
			t.Errorf("%s: published %d, %v; want 1, and a final error: %t", code, n, err, final)
		}
	}
}

// A permission that is missing for all entries can be granted.
func TestPublish_MissingPermission(t *testing.T) {
	denied := "AccessDeniedException"
	for name, answer := range map[string]string{
		"all entries":  newAnswer([]string{denied, denied, denied}),
		"with a fault": newAnswer([]string{denied, "InternalFailure", denied}),
	} {
		b, _ := newBus(t, func(request) (int, string) { return http.StatusOK, answer })
		if n, err := b.Publish(t.Context(), newNotifications(3)); n != 0 || err == nil || errors.Is(err, notification.ErrUnpublishable) {
			t.Errorf("%s: published %d, %v", name, n, err)
		}
	}
}

func TestPublish_RejectedRequest(t *testing.T) {
	all := newNotifications(12)
	all[1].Reason = "bad"
	b, _ := newBus(t, func(r request) (int, string) {
		for _, entry := range r.Entries {
			if strings.Contains(entry.Detail, "bad") {
				return http.StatusBadRequest, `{"__type":"ValidationException","message":"canary"}`
			}
		}
		return publishAll(r)
	})
	n, err := b.Publish(t.Context(), all)
	if n != 1 || !errors.Is(err, notification.ErrUnpublishable) || !strings.Contains(err.Error(), all[1].ID) || strings.Contains(err.Error(), "canary") {
		t.Errorf("published %d, %v; want 1 and a final error", n, err)
	}
	if n, err := b.Publish(t.Context(), all[2:]); n != 10 || err != nil {
		t.Errorf("the others: published %d, %v", n, err)
	}
}

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

// request is what EventBridge is sent.
type request struct {
	Entries []struct {
		EventBusName, Source, DetailType, Detail string
		Resources                                []string
	}
}

// bus returns a bus whose requests are answered by answer, and what it was sent.
func bus(t *testing.T, answer func(request) (int, string)) (*eventbus.Bus, *[]request) {
	t.Helper()
	var sent []request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var item request
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Header.Get("X-Amz-Target") != "AWSEvents.PutEvents" {
			t.Errorf("%s, %v", r.Header.Get("X-Amz-Target"), err)
		}
		if err := json.Unmarshal(body, &item); err != nil {
			t.Error(err)
		}
		sent = append(sent, item)
		code, text := answer(item)
		w.WriteHeader(code)
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(server.Close)
	return eventbus.New(aws.Config{
		Region: "us-east-1", BaseEndpoint: &server.URL, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}, "demo-payouts"), &sent
}

// taken answers that all entries were taken.
func taken(r request) (int, string) {
	return http.StatusOK, answerOf(make([]string, len(r.Entries)))
}

// answerOf answers for each entry with an error code, or "" where it was taken.
func answerOf(codes []string) string {
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

func notices(n int) []notification.Notification {
	var all []notification.Notification
	for item := range n {
		all = append(all, notification.Notification{
			Schema: 1, ID: fmt.Sprintf("cregis/payout/7/%d#1", item), Type: notification.PayoutSucceeded, Reason: "<&>",
			UpdatedAt: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC),
		})
	}
	return all
}

func TestAnEventIsTheNotice(t *testing.T) {
	b, sent := bus(t, taken)
	notifications := notices(1)
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
		t.Errorf("detail: %q, want it as short as it can be", got.Detail)
	}
	if got.EventBusName != "demo-payouts" || got.Source != "payout-callbacks" || got.DetailType != "PayoutSucceeded" ||
		!cmp.Equal(got.Resources, []string{"demo-payouts"}) {
		t.Errorf("got %+v", got)
	}
}

func TestARequestHasTenEventsAndAMegabyteAtMost(t *testing.T) {
	long := strings.Repeat("x", 400_000)
	var many []notification.Notification
	for _, notice := range notices(5) {
		notice.Reason = long
		many = append(many, notice)
	}
	for name, test := range map[string]struct {
		notices []notification.Notification
		want    []int
	}{
		"none":          {nil, nil},
		"ten":           {notices(10), []int{10}},
		"twenty-one":    {notices(21), []int{10, 10, 1}},
		"large ones":    {many, []int{2, 2, 1}},
		"and small":     {append(notices(9), many...), []int{10, 2, 2}},
		"small between": {append(many[:1:1], append(notices(2), many[:2]...)...), []int{4, 1}},
	} {
		b, sent := bus(t, taken)
		n, err := b.Publish(t.Context(), test.notices)
		var got []int
		for _, r := range *sent {
			got = append(got, len(r.Entries))
		}
		if n != len(test.notices) || err != nil || !cmp.Equal(test.want, got) {
			t.Errorf("%s: published %d, %v, in requests of %v, want %v", name, n, err, got, test.want)
		}
	}
}

// What will never be taken must be told from what is not taken now: the stream
// waits for the one and passes over the other.
func TestWhatNoBusTakesIsSaid(t *testing.T) {
	for name, damage := range map[string]func(*notification.Notification){
		"too large":             func(item *notification.Notification) { item.Reason = strings.Repeat("x", 1_000_000) },
		"of a year beyond 9999": func(value *notification.Notification) { value.UpdatedAt = time.UnixMilli(1 << 60) },
	} {
		b, sent := bus(t, taken)
		all := notices(12)
		damage(&all[11])
		n, err := b.Publish(t.Context(), all)
		if n != 11 || !errors.Is(err, notification.ErrUnpublishable) || !strings.Contains(err.Error(), all[11].ID) || len(*sent) != 2 {
			t.Errorf("%s: published %d in %d requests, %v; want the 11 before it, and what is wrong", name, n, len(*sent), err)
		}
	}
}

func TestFailuresAreCountedFromTheFirst(t *testing.T) {
	for name, test := range map[string]struct {
		code   int
		answer string
		want   int
		cause  string
	}{
		"all taken":         {200, answerOf(make([]string, 10)), 12, ""},
		"the first failed":  {200, answerOf([]string{"InternalFailure", "", "", "", "", "", "", "", "", ""}), 0, "1 of 10 failed: InternalFailure"},
		"some of them":      {200, answerOf([]string{"", "", "", "ThrottlingException", "", "InternalFailure", "", "", "", ""}), 3, "2 of 10 failed: ThrottlingException"},
		"nobody says which": {200, `{"FailedEntryCount":1,"Entries":[]}`, 0, "names none"},
		"the request":       {400, `{"__type":"AccessDeniedException"}`, 0, "AccessDenied"},
	} {
		first := true
		b, sent := bus(t, func(r request) (int, string) {
			if first {
				first = false
				return test.code, test.answer
			}
			return taken(r)
		})
		n, err := b.Publish(t.Context(), notices(12))
		if n != test.want || (err == nil) != (test.cause == "") || err != nil && !strings.Contains(err.Error(), test.cause) {
			t.Errorf("%s: published %d, %v; want %d and %q", name, n, err, test.want, test.cause)
		}
		if err != nil && (len(*sent) != 1 || strings.Contains(err.Error(), "canary")) {
			t.Errorf("%s: %d requests, want none after the one that failed: %v", name, len(*sent), err)
		}
	}
}

// The stream waits for what may be taken later, and passes over what never will be.
func TestPublish_OfAnEntryThatTheBusRefuses(t *testing.T) {
	for code, final := range map[string]bool{
		"InternalFailure": false, "ThrottlingException": false, "ServiceUnavailable": false,
		"MalformedDetail": true, "InvalidArgument": true, "RedactionFailure": true, "SomethingNew": true,
		"AccessDeniedException": true, "NotAuthorizedForSourceException": true, "NotAuthorizedForDetailTypeException": true,
	} {
		b, _ := bus(t, func(request) (int, string) { return http.StatusOK, answerOf([]string{"", code, ""}) })
		n, err := b.Publish(t.Context(), notices(3))
		if n != 1 || errors.Is(err, notification.ErrUnpublishable) != final || !strings.Contains(err.Error(), notices(2)[1].ID) {
			t.Errorf("%s: published %d, %v; want the first, and the second refused for good: %t", code, n, err, final)
		}
	}
}

// A permission that is missing for all entries can be granted: nothing is passed over.
func TestPublish_WithoutAPermission_Waits(t *testing.T) {
	denied := "AccessDeniedException"
	for name, answer := range map[string]string{
		"all entries": answerOf([]string{denied, denied, denied}),
		"and a fault": answerOf([]string{denied, "InternalFailure", denied}),
	} {
		b, _ := bus(t, func(request) (int, string) { return http.StatusOK, answer })
		if n, err := b.Publish(t.Context(), notices(3)); n != 0 || err == nil || errors.Is(err, notification.ErrUnpublishable) {
			t.Errorf("%s: published %d, %v", name, n, err)
		}
	}
}

func TestPublish_OfARequestThatIsRefusedWhole_FindsTheEntry(t *testing.T) {
	all := notices(12)
	all[1].Reason = "bad"
	b, _ := bus(t, func(r request) (int, string) {
		for _, entry := range r.Entries {
			if strings.Contains(entry.Detail, "bad") {
				return http.StatusBadRequest, `{"__type":"ValidationException","message":"canary"}`
			}
		}
		return taken(r)
	})
	n, err := b.Publish(t.Context(), all)
	if n != 1 || !errors.Is(err, notification.ErrUnpublishable) || !strings.Contains(err.Error(), all[1].ID) || strings.Contains(err.Error(), "canary") {
		t.Errorf("published %d, %v; want the first, and the second refused for good", n, err)
	}
	if n, err := b.Publish(t.Context(), all[2:]); n != 10 || err != nil {
		t.Errorf("the others: published %d, %v", n, err)
	}
}

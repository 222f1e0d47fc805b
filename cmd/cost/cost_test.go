package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"payout-callbacks/pkg/templatetest"
)

// The tables of the document are what the program makes of the code as it is.
func TestTheDocumentIsFresh(t *testing.T) {
	path := filepath.Join(t.TempDir(), "COST.md")
	written, err := os.ReadFile(filepath.Join(templatetest.Root(t), "docs", "COST.md"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, written, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run([]string{"--write", path}, nil); err != nil {
		t.Fatal(err)
	}
	fresh, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(written, fresh) {
		t.Errorf("docs/COST.md is stale (%v): go run ./cmd/cost --write docs/COST.md", err)
	}
}

// The README quotes two of the figures, in whole dollars.
func TestTheReadmeQuotesTheseFigures(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(templatetest.Root(t), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Join(strings.Fields(string(text)), " ")
	whole := func(cost micros) int64 { return (int64(cost) + million/2) / million }
	for _, want := range []string{
		fmt.Sprintf("A million callbacks cost about $%d in a month of 100 million", whole(perMillion(total(bill(usual(), 100*million), ""), 100*million))),
		fmt.Sprintf("a stack at rest about $%d a month", whole(total(bill(usual(), 0), ""))),
	} {
		if !strings.Contains(words, want) {
			t.Errorf("README.md does not say %q", want)
		}
	}
}

func TestADocumentWithoutAPlaceForTheTablesIsLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "COST.md")
	if err := os.WriteFile(path, []byte("# Cost\n"+begin), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run([]string{"--write", path}, nil); err == nil {
		t.Error("it was written, and what follows the tables would be lost")
	}
}

func TestTiersAreMetOneAfterTheOther(t *testing.T) {
	for _, test := range []struct {
		asked    price
		quantity int64
		want     string
	}{
		{apiRequest, 0, "0.00"},
		{apiRequest, 300 * million, "300.00"},
		{apiRequest, 400 * million, "390.00"},
		{logIngestion, 60 * terabyte, "12,800.00"}, // 1,024 × (10 × 0.50 + 20 × 0.25 + 20 × 0.10 + 10 × 0.05)
		{lambdaCompute, gigabyteSecond * million, "13.33"},
		{writeUnitPrice, 8, "0.00"},
		{dashboardMonth, 1, "3.00"},
	} {
		if got := test.asked.of(test.quantity).String(); got != test.want {
			t.Errorf("%s, %d: got $%s, want $%s", test.asked.what, test.quantity, got, test.want)
		}
	}
}

func TestEveryPriceIsANumberRisesInVolumeAndSaysWhereItIsFrom(t *testing.T) {
	for _, one := range prices() {
		if one.what == "" || one.unit == "" || one.per < 1 || one.tiers[len(one.tiers)-1].upTo != 0 {
			t.Errorf("%+v is not complete", one)
		}
		if !strings.Contains(one.from, "https://") && one.from != fromMemory {
			t.Errorf("%s: nobody can check it: %q", one.what, one.from)
		}
		for n, step := range one.tiers {
			if _, ok := new(big.Rat).SetString(step.dollars); !ok {
				t.Errorf("%s: %q is no price", one.what, step.dollars)
			}
			if n > 0 && step.upTo != 0 && step.upTo <= one.tiers[n-1].upTo {
				t.Errorf("%s: tier %d ends before the one ahead of it", one.what, n)
			}
		}
	}
}

// The arithmetic of one volume, by hand: 1,000,000 callbacks are 50,000
// duplicates and 950,000 events of 791,666 payouts.
func TestAMillionCallbacksByHand(t *testing.T) {
	want := map[string]int64{
		"API Gateway requests":                 1_000_000,
		"Lambda consumer, requests":            950_000,                 // one at a time at this rate
		"DynamoDB receipts":                    950_000,                 // 1 unit each
		"DynamoDB duplicates":                  50_000,                  // 1
		"DynamoDB index of unapplied receipts": 1_900_000,               // 2
		"DynamoDB transactions":                791_666*4 + 158_334*2*4, // 2 items, twice; and once more for later events
		"DynamoDB index by reference":          791_666,                 // 1
		"SQS sends":                            950_000,
		"SQS receives and deletes":             1_900_000,
		"SQS empty receives":                   5 * 3 * 60 * 730,
		"EventBridge notices":                  950_000,
		"EventBridge scheduler":                60 * 730,
	}
	got := map[string]int64{}
	for _, one := range bill(usual(), million) {
		got[one.Service+" "+one.Item] = one.Quantity
	}
	for what, quantity := range want {
		if got[what] != quantity {
			t.Errorf("%s: got %d, want %d", what, got[what], quantity)
		}
	}
}

func TestEveryLineHasADriverAndALargerMonthIsNeverDearerByTheMillion(t *testing.T) {
	small, large := bill(usual(), volumes[0]), bill(usual(), volumes[len(volumes)-1])
	for n, one := range large {
		if one.Driver == "" || one.Unit == "" {
			t.Errorf("%s, %s: driver %q, unit %q", one.Service, one.Item, one.Driver, one.Unit)
		}
		// Prices are rounded to a millionth of a dollar.
		if perMillion(one.Cost, volumes[len(volumes)-1]) > perMillion(small[n].Cost, volumes[0])+1 {
			t.Errorf("%s, %s: dearer in a larger month", one.Service, one.Item)
		}
	}
}

func TestAMonthWithoutACallbackCostsWhatIsFixed(t *testing.T) {
	for _, one := range bill(usual(), 0) {
		if slices.Contains([]string{"API Gateway", "Data transfer"}, one.Service) && one.Cost != 0 {
			t.Errorf("%s costs %s without a callback", one.Service, one.Cost)
		}
	}
	if rest := total(bill(usual(), 0), ""); rest < 20*million || rest > 40*million {
		t.Errorf("a month at rest costs $%s", rest)
	}
}

func TestFlagsChangeTheBill(t *testing.T) {
	cost := func(args ...string) string {
		var out strings.Builder
		if err := run(append(args, "--per-month", "1000000"), &out); err != nil {
			t.Fatal(err)
		}
		return regexp.MustCompile(`(?m)^all .*$`).FindString(out.String())
	}
	usually := cost()
	for _, args := range [][]string{
		{"--duplicates=50"}, {"--events-per-ten-payouts=20"}, {"--ingress-ms=250"}, {"--consumer-ms=250"}, {"--log-days=30"},
		{"--months-kept=1"}, {"--tracing=false"},
	} {
		if got := cost(args...); got == usually || got == "" {
			t.Errorf("%v: %q, as without", args, got)
		}
	}
	for _, args := range [][]string{{"--per-month=-1"}, {"--duplicates=101"}, {"--log-days=0"}, {"more"}} {
		if err := run(args, &strings.Builder{}); err == nil {
			t.Errorf("%v: taken", args)
		}
	}
}

func TestJSONIsOneObjectALine(t *testing.T) {
	var out strings.Builder
	if err := run([]string{"--json"}, &out); err != nil {
		t.Fatal(err)
	}
	n := 0
	for text := range strings.Lines(out.String()) {
		var one struct {
			CallbacksPerMonth int64
			Service, Driver   string
			Dollars           json.Number
		}
		if err := json.Unmarshal([]byte(text), &one); err != nil || one.CallbacksPerMonth == 0 || one.Service == "" || one.Driver == "" || one.Dollars == "" {
			t.Fatalf("%s: %+v, %v", text, one, err)
		}
		n++
	}
	if want := len(volumes) * len(bill(usual(), million)); n != want {
		t.Errorf("%d lines, want %d", n, want)
	}
}

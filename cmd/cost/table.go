package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
)

// What is between these lines of the document is this program's.
const (
	begin = "<!-- go run ./cmd/cost --write docs/COST.md -->\n"
	end   = "<!-- end of what cmd/cost writes -->\n"
)

// tables are what the document shows: by volume, at rest, and the prices.
func tables(a assumptions, volumes []int64) string {
	var bills [][]line
	for _, volume := range volumes {
		bills = append(bills, bill(a, volume))
	}
	return strings.Join([]string{byService(bills, volumes), byLine(bills, volumes), atRest(a), assumed(a, volumes), priceList()}, "\n")
}

// byService has dollars per million callbacks, service by service.
func byService(bills [][]line, volumes []int64) string {
	var out strings.Builder
	heading(&out, "dollars per million callbacks, at so many a month", volumes, "")
	for _, service := range services(bills[0]) {
		fmt.Fprintf(&out, "| %s |", service)
		for n, volume := range volumes {
			fmt.Fprintf(&out, " %s |", perMillion(total(bills[n], service), volume))
		}
		out.WriteString("\n")
	}
	out.WriteString("| **all** |")
	for n, volume := range volumes {
		fmt.Fprintf(&out, " **%s** |", perMillion(total(bills[n], ""), volume))
	}
	out.WriteString("\n| **dollars a month** |")
	for n := range volumes {
		fmt.Fprintf(&out, " **%s** |", total(bills[n], ""))
	}
	return out.String() + "\n"
}

// byLine has the same, line by line, with what drives each.
func byLine(bills [][]line, volumes []int64) string {
	var out strings.Builder
	heading(&out, "dollars per million callbacks, at so many a month", volumes, " driver | --- |")
	for n, first := range bills[0] {
		fmt.Fprintf(&out, "| %s, %s |", first.Service, first.Item)
		for v, volume := range volumes {
			fmt.Fprintf(&out, " %s |", perMillion(bills[v][n].Cost, volume))
		}
		fmt.Fprintf(&out, " %s |\n", first.Driver)
	}
	return out.String()
}

// heading names the columns: first, the volumes, and last with its rule, where there is one.
func heading(out *strings.Builder, first string, volumes []int64, last string) {
	name, rule, _ := strings.Cut(last, "|")
	if last != "" {
		name += "|"
	}
	fmt.Fprintf(out, "| %s |", first)
	for _, volume := range volumes {
		fmt.Fprintf(out, " %s |", spoken(volume))
	}
	out.WriteString(name + "\n| --- |" + strings.Repeat(" ---: |", len(volumes)) + rule + "\n")
}

// atRest is what a month without a callback costs.
func atRest(a assumptions) string {
	var out strings.Builder
	out.WriteString("| dollars a month without a callback | |\n| --- | ---: |\n")
	all := bill(a, 0)
	for _, one := range all {
		if one.Cost.String() != "0.00" {
			fmt.Fprintf(&out, "| %s, %s | %s |\n", one.Service, one.Item, one.Cost)
		}
	}
	fmt.Fprintf(&out, "| **all** | **%s** |\n", total(all, ""))
	return out.String()
}

// assumed says the assumptions, by the flags that change them, and what they make of the volumes.
func assumed(a assumptions, volumes []int64) string {
	var out strings.Builder
	out.WriteString("| assumption | | flag |\n| --- | ---: | --- |\n")
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	a.flags(flags)
	flags.VisitAll(func(one *flag.Flag) {
		fmt.Fprintf(&out, "| %s | %s | `--%s` |\n", one.Usage, one.Value, one.Name)
	})
	out.WriteString("\n")
	heading(&out, "at so many callbacks a month", volumes, "")
	for _, row := range []struct {
		what string
		of   func(month) int64
	}{
		{"callbacks a second, on average", func(m month) int64 { return m.callbacks / monthSeconds }},
		{"messages in a batch of the consumer", func(m month) int64 { return m.inBatch }},
		{"changes in a batch of the publisher", func(m month) int64 { return m.inPublished }},
		{"write units a second, on average", func(m month) int64 { return m.writeUnits().all() / monthSeconds }},
		{"GB in the tables", func(m month) int64 { return m.kept() / gigabyte }},
	} {
		fmt.Fprintf(&out, "| %s |", row.what)
		for _, volume := range volumes {
			fmt.Fprintf(&out, " %s |", grouped(row.of(monthOf(a, volume))))
		}
		out.WriteString("\n")
	}
	return out.String()
}

// lines are every line of one volume, with what is counted.
func lines(a assumptions, volume int64) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s callbacks a month, %s, list prices as read on %s\n\n", grouped(volume), priceRegion, priceRead)
	all := bill(a, volume)
	for _, one := range all {
		fmt.Fprintf(&out, "%-16s %-28s %20s %-12s %12s  %s\n", one.Service, one.Item, grouped(one.Quantity), one.Unit, one.Cost, one.Driver)
	}
	fmt.Fprintf(&out, "%-16s %-28s %20s %-12s %12s  %s a million callbacks\n", "all", "", "", "", total(all, ""), perMillion(total(all, ""), volume))
	return out.String()
}

func priceList() string {
	var out strings.Builder
	fmt.Fprintf(&out, "| list price, %s, read on %s | dollars | of a | from |\n| --- | --- | --- | --- |\n", priceRegion, priceRead)
	for _, one := range prices() {
		fmt.Fprintf(&out, "| %s | %s | %s | %s |\n", one.what, one.steps(), one.unit, linked(one.from))
	}
	return out.String()
}

// linked makes addresses into links.
func linked(from string) string {
	words := strings.Fields(from)
	for n, word := range words {
		if address := strings.TrimSuffix(word, ","); strings.HasPrefix(address, "https://") {
			site, _, _ := strings.Cut(strings.TrimPrefix(address, "https://"), "/")
			words[n] = "[" + site + "](" + address + ")" + strings.TrimPrefix(word, address)
		}
	}
	return strings.Join(words, " ")
}

func total(all []line, service string) micros {
	var sum micros
	for _, one := range all {
		if service == "" || one.Service == service {
			sum += one.Cost
		}
	}
	return sum
}

func services(all []line) []string {
	var names []string
	seen := map[string]bool{}
	for _, one := range all {
		if !seen[one.Service] {
			names = append(names, one.Service)
		}
		seen[one.Service] = true
	}
	return names
}

func perMillion(cost micros, volume int64) micros {
	return micros(int64(cost) * million / volume)
}

func spoken(n int64) string {
	switch {
	case n >= 1e9 && n%1e9 == 0:
		return grouped(n/1e9) + " billion"
	case n >= million && n%million == 0:
		return grouped(n/million) + " million"
	}
	return grouped(n)
}

// writeInto puts the tables between the markers of a file.
func writeInto(path, tables string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, started := strings.Cut(string(content), begin)
	_, after, ended := strings.Cut(rest, end)
	if !started || !ended {
		return fmt.Errorf("%s has no place for the tables: it begins with the line %sand ends with %s", path, begin, end)
	}
	return os.WriteFile(path, []byte(before+begin+"\n"+tables+"\n"+end+after), 0o644)
}

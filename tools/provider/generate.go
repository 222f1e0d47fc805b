package main

import (
	"embed"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"payout-callbacks/pkg/lambda/providers"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider"
)

//go:embed regions
var regions embed.FS

// generatedFiles are the files with generated regions. regions/ has a file for each, with
// a template for each region.
var generatedFiles = []string{"template.yaml", "README.md", "docs/OPERATIONS.md"}

// shared is the number of providers whose functions ServerErrorsAlarm and ThrottledAlarm
// monitor. ThrottledAlarm then has ten metrics, the most that CloudWatch accepts, so a
// further provider has an alarm of its own.
const shared = 2

// generate writes the generated regions of the repository in a folder.
func generate(root string) error {
	for _, name := range generatedFiles {
		file := filepath.Join(root, name)
		old, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		text, _, err := regenerate(name, string(old), providers.All())
		if err != nil {
			return fmt.Errorf("generate %s: %w", name, err)
		}
		if text == string(old) {
			continue
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			return err
		}
		fmt.Println("wrote", name)
	}
	return nil
}

// regenerate returns the text of a file with its regions for the given providers, and the
// names of the regions that changed.
func regenerate(file, text string, providers []provider.Description) (result string, changed []string, err error) {
	templates, err := parseTemplates(file, text, providers)
	if err != nil {
		return "", nil, err
	}
	segments, err := split(text)
	if err != nil {
		return "", nil, err
	}
	var out strings.Builder
	written := map[string]bool{}
	for _, s := range segments {
		if s.region == "" {
			out.WriteString(s.text)
			continue
		}
		if templates.Lookup(s.region) == nil {
			return "", nil, fmt.Errorf("region %s has no template", s.region)
		}
		var content strings.Builder
		if err := templates.ExecuteTemplate(&content, s.region, providers); err != nil {
			return "", nil, err
		}
		if content.String() != s.text {
			changed = append(changed, s.region)
		}
		written[s.region] = true
		out.WriteString(content.String())
	}
	for _, t := range templates.Templates() {
		if name := t.Name(); !strings.HasSuffix(name, ".tmpl") && !written[name] {
			return "", nil, fmt.Errorf("no region %s", name)
		}
	}
	return out.String(), changed, nil
}

// segment is the content of a region, or a text between two, with their markers.
type segment struct {
	region string // "" between regions
	text   string
}

func split(text string) ([]segment, error) {
	segments, last := []segment{{}}, 0
	for line := range strings.Lines(text) {
		name, isBegin := beginsRegion(line)
		isInside := segments[last].region != ""
		switch {
		case isBegin && isInside:
			return nil, fmt.Errorf("region %s begins within region %s", name, segments[last].region)
		case isBegin:
			segments[last].text += line
			segments = append(segments, segment{region: name})
			last++
		case isInside && endsRegion(line):
			segments = append(segments, segment{text: line})
			last++
		default:
			segments[last].text += line
		}
	}
	if name := segments[last].region; name != "" {
		return nil, fmt.Errorf("region %s has no end", name)
	}
	return segments, nil
}

// beginsRegion returns the name of the region that a line begins.
func beginsRegion(line string) (name string, ok bool) {
	line = strings.TrimSpace(line)
	if name, ok := strings.CutPrefix(line, "# generated: "); ok {
		return name, true
	}
	name, ok = strings.CutPrefix(line, "<!-- generated: ")
	return strings.TrimSuffix(name, " -->"), ok
}

func endsRegion(line string) bool {
	line = strings.TrimSpace(line)
	return line == "# end" || line == "<!-- end -->"
}

// parseTemplates returns the templates of a file's regions.
func parseTemplates(file, text string, providers []provider.Description) (*template.Template, error) {
	name := path.Base(file) + ".tmpl"
	return template.New(name).Funcs(template.FuncMap{
		"queried":  func(all []provider.Description) []provider.Description { return filter(all, isQueried) },
		"shared":   func(all []provider.Description) []provider.Description { return all[:min(shared, len(all))] },
		"further":  func(all []provider.Description) []provider.Description { return all[min(shared, len(all)):] },
		"variable": provider.Variable,
		"prefix":   prefixOf,
		"heading":  heading,
		"isFurther": func(d provider.Description) bool {
			return slices.IndexFunc(providers, func(p provider.Description) bool { return p.Name() == d.Name() }) >= shared
		},
		"undocumented": func(all []provider.Description) []provider.Description {
			return filter(all, func(d provider.Description) bool {
				return !strings.Contains(outsideRegions(text), "\n### "+d.Name()+"-refused\n")
			})
		},
	}).ParseFS(regions, "regions/"+name)
}

func filter(all []provider.Description, keep func(provider.Description) bool) []provider.Description {
	return slices.DeleteFunc(slices.Clone(all), func(d provider.Description) bool { return !keep(d) })
}

func isQueried(d provider.Description) bool { return d.Queries != nil }

// prefixOf returns a type in a logical id: SubAddressPayout for sub-address-payout.
func prefixOf(kind payout.Type) string {
	var prefix strings.Builder
	for word := range strings.SplitSeq(string(kind), "-") {
		prefix.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return prefix.String()
}

// heading returns the comment above a part of the template.
func heading(part, title string) string {
	text := fmt.Sprintf("  # ---- %s: %s ", part, title)
	return text + strings.Repeat("-", max(0, 120-len(text))) + "\n"
}

// outsideRegions returns the text without the content of its regions.
func outsideRegions(text string) string {
	segments, _ := split(text) // regenerate reports the error
	var out strings.Builder
	for _, s := range segments {
		if s.region == "" {
			out.WriteString(s.text)
		}
	}
	return out.String()
}

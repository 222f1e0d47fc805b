package pivot

import (
	_ "embed" // decompositions.txt
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Unicode's normalisation form C (UAX 15). The standard library does not export it, and
// golang.org/x/text adds 190 kB to a function and composes runes above 16 bits
// wrongly. nfc_test.go compares with it for all other runes.

//go:embed decompositions.txt
var decompositions string

// normalForms are the tables of the form.
type normalForms struct {
	parts    map[rune][]rune // what a rune is decomposed into
	composed map[[2]rune]rune
	classes  map[rune]uint8 // combining classes that are not 0
}

var tables = sync.OnceValue(func() normalForms {
	forms := normalForms{map[rune][]rune{}, map[[2]rune]rune{}, map[rune]uint8{}}
	for line := range strings.Lines(decompositions) {
		if !strings.HasPrefix(line, "#") {
			forms.add(strings.TrimSpace(line))
		}
	}
	return forms
})

// add reads a line of decompositions.txt, whose first lines describe the format.
func (f *normalForms) add(line string) {
	if span, class, ok := strings.Cut(line, ":"); ok {
		first, last, _ := strings.Cut(span, "-")
		value, _ := strconv.ParseUint(class, 10, 8)
		for r := readRune(first); r <= readRune(last); r++ {
			f.classes[r] = uint8(value) // parsed with 8 bits
		}
		return
	}
	at := strings.IndexAny(line, "=>")
	whole := readRune(line[:at])
	for part := range strings.FieldsSeq(line[at+1:]) {
		f.parts[whole] = append(f.parts[whole], readRune(part))
	}
	if line[at] == '=' {
		f.composed[[2]rune(f.parts[whole])] = whole
	}
}

func readRune(digits string) rune {
	value, _ := strconv.ParseInt(digits, 16, 32)
	return rune(value)
}

// firstComposable is the first rune that can be composed with a rune before it.
const firstComposable = 0x300

// canonicalText returns a text in normalisation form C. Canonically equivalent texts
// become equal; compatibility forms stay different.
func canonicalText(text string) string {
	if !strings.ContainsFunc(text, func(r rune) bool { return r >= firstComposable }) {
		return text
	}
	forms := tables()
	var runes []rune
	for _, r := range text {
		runes = forms.decompose(runes, r)
	}
	forms.order(runes)
	return string(forms.compose(runes))
}

// Hangul syllables are composed by arithmetic: a leading consonant, a vowel and
// perhaps a trailing consonant.
const (
	hangulFirst    = 0xAC00
	leadFirst      = 0x1100
	vowelFirst     = 0x1161
	trailBefore    = 0x11A7
	leads          = 19
	vowels         = 21
	trails         = 28
	hangulCount    = leads * vowels * trails
	vowelSyllables = vowels * trails
)

func (f *normalForms) decompose(runes []rune, r rune) []rune {
	if i := r - hangulFirst; i >= 0 && i < hangulCount {
		runes = append(runes, leadFirst+i/vowelSyllables, vowelFirst+i%vowelSyllables/trails)
		if i%trails != 0 {
			runes = append(runes, trailBefore+i%trails)
		}
		return runes
	}
	parts, ok := f.parts[r]
	if !ok {
		return append(runes, r)
	}
	for _, part := range parts {
		runes = f.decompose(runes, part)
	}
	return runes
}

// order sorts each run of combining marks by class.
func (f *normalForms) order(runes []rune) {
	for from := 0; from < len(runes); from++ {
		to := from
		for to < len(runes) && f.classes[runes[to]] != 0 {
			to++
		}
		slices.SortStableFunc(runes[from:to], func(a, b rune) int { return int(f.classes[a]) - int(f.classes[b]) })
		from = to
	}
}

// compose joins each rune with the last starter before it, unless a rune of the
// same or a higher class stands between them.
func (f *normalForms) compose(runes []rune) []rune {
	result := runes[:0]
	starter, last := -1, uint8(0) // the index of the last starter; the class of the rune before
	for _, r := range runes {
		class := f.classes[r]
		if starter >= 0 && (last < class || len(result) == starter+1) {
			if whole, ok := f.pair(result[starter], r); ok {
				result[starter] = whole
				continue
			}
		}
		if class == 0 {
			starter = len(result)
		}
		result, last = append(result, r), class
	}
	return result
}

func (f *normalForms) pair(first, second rune) (rune, bool) {
	lead, vowel := first-leadFirst, second-vowelFirst
	if lead >= 0 && lead < leads && vowel >= 0 && vowel < vowels {
		return hangulFirst + lead*vowelSyllables + vowel*trails, true
	}
	syllable, trail := first-hangulFirst, second-trailBefore
	if syllable >= 0 && syllable < hangulCount && syllable%trails == 0 && trail > 0 && trail < trails {
		return first + trail, true
	}
	whole, ok := f.composed[[2]rune{first, second}]
	return whole, ok
}

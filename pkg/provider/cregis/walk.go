package cregis

import (
	"fmt"
	"slices"
	"strings"
)

// reading is one way in which a canonical string can have been written.
type reading struct {
	shape  shapes
	fields []string // name="value"
}

// others returns the readings that mean something else than the body says, at
// most one of each shape.
func (s *search) others() []reading {
	var others []reading
	if fields := s.shorter(); fields != nil {
		return []reading{{shape: s.shape, fields: fields}}
	}
	points := s.points()
	for _, shape := range everyone.each() {
		if !s.named(shape) {
			continue
		}
		walk := s.newWalk(points, shape)
		if fields, found := walk.another(); found {
			others = append(others, reading{shape: shape, fields: fields})
		}
	}
	return others
}

// shorter returns a reading in which a field that has a form ends earlier, and
// what is left begins the name of the other field that follows it: instead of
// FOOb with a fee, FOO with a bfee.
func (s *search) shorter() []string {
	for i, own := range s.own {
		rule := &s.names.rules[i]
		if !own.told || rule.free || !rule.event {
			continue
		}
		text := s.text[own.at+len(rule.name) : own.next]
		if end := rule.otherEnd(text, own); end > 0 {
			return []string{fmt.Sprintf("%s=%q", rule.name, text[:end]), fmt.Sprintf("(unnamed)=%q", text[end:]), "…"}
		}
	}
	return nil
}

// otherEnd returns where the body's value can end in the text besides where it
// does, if a name can begin there that sorts between its neighbours; or 0.
func (r *rule) otherEnd(text string, own claim) int {
	if len(own.value) == len(text) {
		return 0
	}
	for end := 1; end < min(len(text), maxValue+1); end++ {
		rest := text[end:]
		sorts := rest > r.name && (own.before == "" || rest[:1] < own.before)
		if end != len(own.value) && sorts && isName(rest[:1]) && r.form(text[:end]) {
			return end
		}
	}
	return 0
}

// maxValue is the length of the longest value that has a form.
const maxValue = 128

// named reports whether the names that the shape must have occur at all.
func (s *search) named(shape shapes) bool {
	var occur [documentedCount]bool
	for _, place := range s.places {
		if rule := &s.names.rules[place.rule]; !rule.other {
			at, _ := documentedNames.find(rule.name)
			occur[at] = true
		}
	}
	for i := range documented {
		if documented[i].must&shape != 0 && !occur[i] {
			return false
		}
	}
	return true
}

// point is a place with all that does not depend on the shape.
type point struct {
	place
	limit int // before which its value ends
	told  int // the last rule before its own of which the body tells something that matters
}

// points returns the places between a beginning and an end.
func (s *search) points() []point {
	places := slices.Concat([]place{{rule: -1}}, s.places, []place{{at: len(s.text), end: len(s.text), rule: len(s.names.rules)}})
	points := make([]point, len(places))
	for i, place := range places {
		points[i] = point{place: place}
		if 0 <= place.rule && place.rule < len(s.names.rules) {
			points[i].limit = s.limit(place)
		}
		points[i].told = lastBefore(place.rule, func(rule int) bool {
			return s.own[rule].told && s.names.rules[rule].event
		})
	}
	return points
}

// lastBefore returns the last of the rules before one that is so, or -1.
func lastBefore(rule int, is func(int) bool) int {
	for rule--; rule >= 0; rule-- {
		if is(rule) {
			return rule
		}
	}
	return -1
}

// walk looks for the readings of one shape from the beginning of the text to
// its end. What matters of the way to a point is only whether it says what the
// body says so far (agreeing) or not (differing): two values for each point.
type walk struct {
	*search
	shape   shapes
	points  []point
	must    []int // by point: the last rule before its own that the shape must have
	reached [][2]bool
	from    [][2]origin
}

const agreeing, differing = 0, 1

// origin is from where a point was first reached.
type origin struct{ point, saying int }

func (s *search) newWalk(points []point, shape shapes) *walk {
	w := &walk{
		search:  s,
		shape:   shape,
		points:  points,
		must:    make([]int, len(points)),
		reached: make([][2]bool, len(points)),
		from:    make([][2]origin, len(points)),
	}
	for i, point := range points {
		w.must[i] = lastBefore(point.rule, func(rule int) bool { return s.names.rules[rule].must&shape != 0 })
	}
	return w
}

// another returns the fields of a reading that differs, if there is one.
func (w *walk) another() ([]string, bool) {
	saying := agreeing
	if w.shape != w.search.shape {
		saying = differing
	}
	w.reached[0][saying] = true
	for to := range w.points {
		for from := range to {
			w.step(from, to)
		}
	}
	last := len(w.points) - 1
	if !w.reached[last][differing] {
		return nil, false
	}
	return w.back(last), true
}

// step goes from one point to another, if a value can stand between them.
func (w *walk) step(from, to int) {
	if w.reached[from] == [2]bool{} || !w.joins(from, to) {
		return
	}
	differs := w.differs(from, to)
	for before, reached := range w.reached[from] {
		saying := before
		if differs {
			saying = differing
		}
		if reached && !w.reached[to][saying] {
			w.reached[to][saying] = true
			w.from[to][saying] = origin{point: from, saying: before}
		}
	}
}

// joins reports whether the text between two names can be the value of the first.
func (w *walk) joins(from, to int) bool {
	a, b := w.points[from], w.points[to]
	switch {
	case a.rule >= b.rule, w.must[to] > a.rule:
		return false
	case a.rule < 0 && b.at > 0, a.rule >= 0 && (b.at <= a.end || b.at >= a.limit):
		return false
	case a.rule == w.pid && !w.isProject(w.text[a.end:b.at]):
		return false
	case b.rule == len(w.names.rules):
		return true
	}
	rule := &w.names.rules[b.rule]
	return (rule.must|rule.may)&w.shape != 0
}

// isProject reports whether a value can be that of pid. The key is the
// project's, so that what begins otherwise was not signed with it; a nonce
// that happens to end in "pid2" makes no other reading.
func (w *walk) isProject(value string) bool {
	return strings.HasPrefix(value, w.own[w.pid].value) || isID(value)
}

// differs reports whether that value, or the fields left out between the two
// names, make another meaning than the body's.
func (w *walk) differs(from, to int) bool {
	a, b := w.points[from], w.points[to]
	if b.told > a.rule {
		return true
	}
	if a.rule < 0 || !w.names.rules[a.rule].event {
		return false
	}
	rule, own := &w.names.rules[a.rule], &w.own[a.rule]
	value := w.text[a.end:b.at]
	if own.told && value == own.value {
		return false
	}
	longer := own.told && own.at == a.at && len(value) > len(own.value)
	return rule.free || !longer || rule.form(value)
}

// back collects the fields on the way to the end.
func (w *walk) back(last int) []string {
	var fields []string
	for at := (origin{last, differing}); at.point != 0; {
		from := w.from[at.point][at.saying]
		a := w.points[from.point]
		if a.rule >= 0 {
			value := w.text[a.end:w.points[at.point].at]
			fields = append(fields, fmt.Sprintf("%s=%q", w.names.rules[a.rule].name, value))
		}
		at = from
	}
	slices.Reverse(fields)
	return fields
}

// describe writes down the signed text and its readings, for a person.
func (s *search) describe(others []reading) string {
	var own []string
	for name, text := range s.body.fields {
		own = append(own, fmt.Sprintf("%s=%q", name, text))
	}
	var note strings.Builder
	fmt.Fprintf(&note, "this body (%s): %s\n", s.shape.name(), strings.Join(own, " "))
	for _, other := range others {
		fmt.Fprintf(&note, "it can also be a %s: %s\n", other.shape.name(), strings.Join(other.fields, " "))
	}
	return note.String()
}

func (s shapes) name() string {
	at := slices.Index(everyone.each(), s)
	if at < 0 {
		return "callback of no type"
	}
	return shapeNames[at]
}

package cregis_test

import (
	"slices"
	"strings"
)

// spec is a field as a reader reads it.
type spec struct {
	name     string
	required bool
	form     *dfa
	monitor  monitor // of the value; nil for none
}

// monitor watches a value as it is read. step returns the next state, or false if
// the value is held.
type monitor interface {
	step(state watch, c byte) (watch, bool)
	ends(state watch, next string) bool // whether a value may end before a name or, with "", at the end of the text
}

type watch struct{ suffix, nonce, address, short int16 }

// position is the position of a reader in a text: in the name or value of a field, or
// in a future field.
type position struct {
	mode   byte // start to inFutureValue
	used   bool // whether the future field was read
	field  int8 // -1 before the first
	upper  int8 // future: the field that follows, or len(fields)
	at     int8 // characters of the name read
	lo, up int8 // future: characters equal to the names before and after it, or -1 once they differ
	form   int32
	watch  watch
}

const (
	start = iota
	inName
	inValue
	inFutureName
	inFutureValue
)

// reader reads texts as bodies of fields, in all possible ways at once.
type reader struct {
	fields []spec
	future bool // whether there may be another field, of any name that begins like Cregis's and with any value
	ids    map[position]int32
	states []position
	next   [][len(alphabet)][]int32 // by state and character; nil until it is built
}

func newReader(fields []spec, future bool) *reader {
	slices.SortFunc(fields, func(a, b spec) int { return strings.Compare(a.name, b.name) })
	r := &reader{fields: fields, future: future, ids: map[position]int32{}}
	r.intern(position{mode: start, field: -1})
	return r
}

func (r *reader) intern(p position) int32 {
	id, ok := r.ids[p]
	if !ok {
		id = int32(len(r.states))
		r.ids[p] = id
		r.states = append(r.states, p)
		r.next = append(r.next, [len(alphabet)][]int32{})
	}
	return id
}

// after returns the fields that may follow a field; len(fields) is the end of the text.
func (r *reader) after(field int8) []int8 {
	var following []int8
	for next := field + 1; ; next++ {
		following = append(following, next)
		if int(next) == len(r.fields) || r.fields[next].required {
			return following
		}
	}
}

// ends reports whether the value at the position may end there, before the following
// field.
func (r *reader) ends(p position, following int8) bool {
	switch p.mode {
	case start, inFutureValue:
		return true
	case inValue:
		field := &r.fields[p.field]
		next := ""
		if int(following) < len(r.fields) {
			next = r.fields[following].name
		}
		return field.form.accepts(p.form) && (field.monitor == nil || field.monitor.ends(p.watch, next))
	}
	return false
}

// accepts reports whether the text may end at the state.
func (r *reader) accepts(id int32) bool {
	p := r.states[id]
	if p.mode == inFutureValue {
		return int(p.upper) == len(r.fields)
	}
	end := int8(len(r.fields))
	return p.mode != start && r.ends(p, end) && slices.Contains(r.after(p.field), end)
}

// consumes returns the index of the field to whose value the last character belongs,
// or -1.
func (r *reader) consumes(names []string) func(id int32) int {
	indexes := make([]int, len(r.fields))
	for i, field := range r.fields {
		indexes[i] = slices.Index(names, field.name)
	}
	return func(id int32) int {
		if p := &r.states[id]; p.mode == inValue {
			return indexes[p.field]
		}
		return -1
	}
}

// step returns the states after the character at an index of the alphabet.
func (r *reader) step(id int32, at int) []int32 {
	if next := r.next[id][at]; next != nil {
		return next
	}
	c, next := alphabet[at], []int32{}
	add := func(p position, ok bool) {
		if ok {
			next = append(next, r.intern(p))
		}
	}
	p := r.states[id]
	switch p.mode {
	case inName:
		add(r.stepName(p, c))
	case inValue:
		add(r.stepValue(p, c))
	case inFutureName:
		add(r.stepFutureName(p, c))
		if p.at >= 3 && p.lo == -1 && (int(p.upper) == len(r.fields) || p.up == -1 || int(p.up) < len(r.fields[p.upper].name)) {
			add(position{mode: inFutureValue, used: true, field: p.field, upper: p.upper}, true)
		}
	case inFutureValue:
		add(p, true)
		if int(p.upper) < len(r.fields) {
			add(r.stepName(position{mode: inName, used: true, field: p.upper}, c))
		}
	}
	var followers []int8
	if p.mode != inFutureValue {
		followers = r.after(p.field)
	}
	for _, following := range followers {
		if !r.ends(p, following) {
			continue
		}
		if int(following) < len(r.fields) {
			add(r.stepName(position{mode: inName, used: p.used, field: following}, c))
		}
		if r.future && !p.used {
			begin := position{mode: inFutureName, field: p.field, upper: following}
			if p.field < 0 {
				begin.lo = -1
			}
			add(r.stepFutureName(begin, c))
		}
	}
	r.next[id][at] = next
	return next
}

func (r *reader) stepName(p position, c byte) (position, bool) {
	name := r.fields[p.field].name
	switch {
	case int(p.at) < len(name):
		p.at++
		return p, name[p.at-1] == c
	default:
		return r.stepValue(position{mode: inValue, used: p.used, field: p.field}, c)
	}
}

func (r *reader) stepValue(p position, c byte) (position, bool) {
	field := &r.fields[p.field]
	p.form = field.form.step(p.form, c)
	if p.form == dead {
		return p, false
	}
	ok := true
	if field.monitor != nil {
		p.watch, ok = field.monitor.step(p.watch, c)
	}
	return p, ok
}

// stepFutureName compares the name with its neighbours while it is read.
func (r *reader) stepFutureName(p position, c byte) (position, bool) {
	if p.at < 3 && (c < 'a' || c > 'z') && (c != '_' || p.at == 0) {
		return p, false
	}
	p.at = min(p.at+1, 3)
	if p.lo >= 0 {
		switch lower := r.fields[p.field].name; {
		case int(p.lo) == len(lower) || c > lower[p.lo]:
			p.lo = -1
		case c == lower[p.lo]:
			p.lo++
		default:
			return p, false
		}
	}
	if p.up >= 0 && int(p.upper) < len(r.fields) {
		switch upper := r.fields[p.upper].name; {
		case int(p.up) == len(upper) || c > upper[p.up]:
			return p, false
		case c < upper[p.up]:
			p.up = -1
		default:
			p.up++
		}
	}
	return p, true
}

// decision is the outcome of a search through all texts.
type decision struct {
	states  int
	witness string // a text with two readings that differ, or ""
	stopped bool   // whether the search stopped at the bound
}

// readings are the states of both readers, and whether they have read a field
// differently.
type readings struct {
	genuine, accepted int32
	differs           bool
}

func (r readings) key() uint64 {
	key := uint64(r.genuine)<<32 | uint64(r.accepted)<<1
	if r.differs {
		key |= 1
	}
	return key
}

// decide searches for a text that both the genuine and the accepting reader accept,
// with a difference in one of the fields: only one of them reads a character as part
// of the field's value. The search is breadth first, so that a witness is short.
func decide(genuine, accepted *reader, fields []string, bound int) decision {
	byGenuine, byAccepted := genuine.consumes(fields), accepted.consumes(fields)
	seen := map[uint64]bool{0: true}
	queue, from := []readings{{}}, []int32{-1}
	for at := 0; at < len(queue) && len(queue) <= bound; at++ {
		state := queue[at]
		if state.differs && genuine.accepts(state.genuine) && accepted.accepts(state.accepted) {
			return decision{states: len(queue), witness: witness(genuine, accepted, queue, from, at)}
		}
		for c := range len(alphabet) {
			followers := accepted.step(state.accepted, c)
			if len(followers) == 0 {
				continue
			}
			for _, g := range genuine.step(state.genuine, c) {
				for _, a := range followers {
					next := readings{g, a, state.differs || byGenuine(g) != byAccepted(a)}
					if key := next.key(); !seen[key] {
						seen[key] = true
						queue = append(queue, next)
						from = append(from, int32(at))
					}
				}
			}
		}
	}
	return decision{states: len(queue), stopped: len(queue) > bound}
}

// witness returns a text that leads to a state of the queue.
func witness(genuine, accepted *reader, queue []readings, from []int32, at int) string {
	var text []byte
	for ; from[at] >= 0; at = int(from[at]) {
		before := queue[from[at]]
		for c := range len(alphabet) {
			if slices.Contains(genuine.step(before.genuine, c), queue[at].genuine) &&
				slices.Contains(accepted.step(before.accepted, c), queue[at].accepted) {
				text = append(text, alphabet[c])
				break
			}
		}
	}
	slices.Reverse(text)
	return string(text)
}

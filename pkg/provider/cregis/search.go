package cregis

// A signature covers every body that has the same canonical string, and that
// string has no separators: a remark of "…status6third_party_idPAY-9" can be
// cut into a status and a reference. So the string of each body is read again,
// in every way in which it could have been written:
//
//   - as any shape (type of callback or request) that the key signs, with all
//     the fields that this shape always has;
//   - by the documented names and the names of the other fields that this body
//     has itself, in sorted order and each at most once;
//   - with values that need not have their documented forms, because a person
//     can put anything into a free text, and Cregis may come to use new statuses,
//     chains and fields at any time. A value must only not hold the whole name of
//     another documented field, unless it is a free text. So a field that this
//     body does not name is read as the end of the value before it.
//
// If one of these readings means something else than the body says, the body is
// held. It follows that where a string has a reading in documented names, no
// body is taken that means anything else, and where it has two, none is.
//
// One exception keeps new fields of Cregis's from being held for no gain: a
// value that is longer by just other fields which this body names after it,
// and that is not of its form then ("TRXfee1" is no currency), is the body's
// own value once more.
type search struct {
	shape  shapes
	body   *body
	text   string // the canonical string
	names  *lexicon
	places []place // in the order of the text
	own    []claim // what the body says, by rule; see claims
	pid    int     // the rule of that name
}

// maxPlaces bounds the work, which grows with its square. Ordinary callbacks
// have about 20 places.
const maxPlaces = 192

// place is where a name stands in the text, whatever it means there.
type place struct {
	at, end int // of the name
	rule    int
}

// claim is a field as the body has it.
type claim struct {
	told     bool
	value    string
	at, next int    // of its name; of the name of the next documented field, or the end
	before   string // that name, or ""
}

func newSearch(b *body, shape shapes) *search {
	s := &search{shape: shape, body: b, text: b.canonical(), names: documentedNames}
	if len(b.others) > 0 {
		s.names = s.names.with(b.others)
	}
	s.places = s.names.places(s.text)
	return s
}

// onlyOwnNames is the short way for ordinary callbacks without other fields: if
// no name stands in the text but those of the body's own fields, there is no
// other reading. It would use a part of these names where they stand, and the
// text of each one left out would belong to the value before it, which must be
// a free text then. After a memo comes the nonce and after a reference the
// timestamp, which no shape is without. After a remark comes the status, which
// requests and the external verification are without; but these have to leave
// out chain_id or currency too, and before those stands no free text.
func (s *search) onlyOwnNames() bool {
	places := s.places
	at := 0
	for name, text := range s.body.fields {
		next := at + len(name) + len(text)
		for len(places) > 0 && places[0].at < next {
			if places[0].end > at+len(name) {
				return false
			}
			places = places[1:]
		}
		at = next
	}
	return true
}

// claims notes what the body says, and where.
func (s *search) claims() {
	s.own = make([]claim, len(s.names.rules))
	s.pid, _ = s.names.find(documented[pid].name)
	last := &claim{} // of a documented name
	at := 0
	for name, text := range s.body.fields {
		rule, _ := s.names.find(name)
		own := &s.own[rule]
		*own = claim{told: true, value: text, at: at, next: len(s.text)}
		if !s.names.rules[rule].other {
			last.next, last.before = at, name
			last = own
		}
		at += len(name) + len(text)
	}
}

// hidden returns the name of a field whose value holds the name of another one
// although people do not write it, or "".
func (s *search) hidden() string {
	for i, own := range s.own {
		from := place{end: own.at + len(s.names.rules[i].name), rule: i}
		if own.told && from.end+len(own.value) >= s.limit(from) {
			return s.names.rules[i].name
		}
	}
	return ""
}

// limit returns the position before which a value must end that begins behind
// the name at from: where it would hold a whole documented name. Names of
// three letters occur in addresses by chance and do not count there.
func (s *search) limit(from place) int {
	shortest := len("memo")
	switch {
	case s.names.rules[from.rule].free:
		return len(s.text) + 1
	case s.names.rules[from.rule].other:
		shortest = 0
	}
	limit := len(s.text) + 1
	for _, place := range s.places {
		named := place.at >= from.end && !s.names.rules[place.rule].other
		if named && place.end-place.at >= shortest {
			limit = min(limit, place.end)
		}
	}
	return limit
}

package cregis_test

import (
	"fmt"
	"regexp/syntax"
	"slices"
	"strings"
)

// alphabet are the characters that the automata read: all characters of names, and
// one or two of each other class that a form or rule distinguishes.
const alphabet = "abcdefghiklmnoprstuvwxyz_016BTZEQ .@-"

// dfa is a form as a deterministic automaton over the alphabet, built on demand.
type dfa struct {
	prog   *syntax.Prog
	ids    map[string]int32
	states [][]uint32
	next   [][len(alphabet)]int32 // by state and character: 0 until it is built, then the state + 2
}

// dead is the state of a value that no further text can bring into its form.
const dead = int32(-1)

func newDFA(expression string) *dfa {
	parsed, err := syntax.Parse("(?:"+expression+")", syntax.Perl|syntax.DotNL)
	if err != nil {
		panic(err)
	}
	prog, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		panic(err)
	}
	d := &dfa{prog: prog, ids: map[string]int32{}}
	d.intern(d.closure(nil, uint32(prog.Start)))
	return d
}

func (d *dfa) closure(set []uint32, pc uint32) []uint32 {
	if slices.Contains(set, pc) {
		return set
	}
	set = append(set, pc)
	switch inst := &d.prog.Inst[pc]; inst.Op {
	case syntax.InstAlt, syntax.InstAltMatch:
		return d.closure(d.closure(set, inst.Out), inst.Arg)
	case syntax.InstCapture, syntax.InstNop, syntax.InstEmptyWidth:
		return d.closure(set, inst.Out)
	}
	return set
}

func (d *dfa) intern(set []uint32) int32 {
	if len(set) == 0 {
		return dead
	}
	slices.Sort(set)
	key := fmt.Sprint(set)
	id, ok := d.ids[key]
	if !ok {
		id = int32(len(d.states))
		d.ids[key] = id
		d.states = append(d.states, set)
		d.next = append(d.next, [len(alphabet)]int32{})
	}
	return id
}

func (d *dfa) step(state int32, c byte) int32 {
	at := strings.IndexByte(alphabet, c)
	if next := d.next[state][at]; next != 0 {
		return next - 2
	}
	var set []uint32
	for _, pc := range d.states[state] {
		inst := &d.prog.Inst[pc]
		switch inst.Op {
		case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
			if inst.MatchRune(rune(c)) {
				set = d.closure(set, inst.Out)
			}
		}
	}
	next := d.intern(set)
	d.next[state][at] = next + 2
	return next
}

func (d *dfa) accepts(state int32) bool {
	return slices.ContainsFunc(d.states[state], func(pc uint32) bool { return d.prog.Inst[pc].Op == syntax.InstMatch })
}

package pivot_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"payout-callbacks/pkg/provider/pivot"
)

func TestCanonicalText_EachRune(t *testing.T) {
	for r := range rune(utf8.MaxRune + 1) {
		if !utf8.ValidRune(r) {
			continue
		}
		composed := string(r)
		texts := []string{composed, norm.NFD.String(composed), "a" + composed}
		if r <= 0xffff {
			texts = append(texts, norm.NFD.String(composed)+"\u0301")
		}
		for _, text := range texts {
			if got, want := pivot.CanonicalText(text), norm.NFC.String(text); got != want {
				t.Fatalf("%+q is %+q, want %+q", text, got, want)
			}
		}
	}
}

// golang.org/x/text compares 16 bits of a rune when it composes, and makes two
// different texts equal. So the other tests compare only shorter runes with it.
func TestCanonicalText_RunesAbove16Bits(t *testing.T) {
	const linear = "\U00010041\u0301" // a sign of Linear B, not A
	if got := pivot.CanonicalText(linear); got != linear {
		t.Errorf("%+q is %+q", linear, got)
	}
}

func TestCanonicalText_Property(t *testing.T) {
	marks := []rune("\u0300\u0301\u0302\u0303\u0307\u0308\u0323\u0327\u0328\u031b\u0345\u0338\u093c\u09be\u0b57\u0dca\u0dcf\u1100\u1161\u11a8\u11a7\uac00\u3099\u309a\u0f71\u0f72\u0653\u05b4\u05bc\u0344\u2126\ufb1d")
	shortRune := rapid.Rune().Filter(func(r rune) bool { return r <= 0xffff })
	text := rapid.Map(rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(marks), rapid.SampledFrom([]rune("aAeEoOuUsSkKかはअ가Ωέ")), shortRune), 0, 20),
		func(runes []rune) string { return string(runes) })
	rapid.Check(t, func(t *rapid.T) {
		written := text.Draw(t, "text")
		got := pivot.CanonicalText(written)
		if want := norm.NFC.String(written); got != want {
			t.Fatalf("%+q is %+q, want %+q", written, got, want)
		}
		if decomposed := pivot.CanonicalText(norm.NFD.String(written)); decomposed != got {
			t.Fatalf("%+q in form D is %+q, in itself %+q", written, decomposed, got)
		}
	})
}

// The time for a text of combining marks is proportional to its size.
func TestCanonicalText_ManyMarks(t *testing.T) {
	text := "a" + strings.Repeat("\u0323\u0301", 1<<14)
	if got := pivot.CanonicalText(text); !strings.HasPrefix(got, "\u1ea1\u0323") || utf8.RuneCountInString(got) != 1<<15 {
		t.Errorf("got %d runes, %+.30q", utf8.RuneCountInString(got), got)
	}
}

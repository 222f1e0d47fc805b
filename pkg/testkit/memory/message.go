package memory

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"payout-callbacks/pkg/aws/sqsqueue"
	"payout-callbacks/pkg/inbox"
)

// maxMessage is the maximum length of an SQS message.
const maxMessage = 1 << 20

// sqsCharacters are the characters that SQS accepts in a message, by
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
var sqsCharacters = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x9, Hi: 0xA, Stride: 1}, {Lo: 0xD, Hi: 0xD, Stride: 1},
		{Lo: 0x20, Hi: 0xD7FF, Stride: 1}, {Lo: 0xE000, Hi: 0xFFFD, Stride: 1},
	},
	R32:         []unicode.Range32{{Lo: 0x10000, Hi: 0x10FFFF, Stride: 1}},
	LatinOffset: 2, //nolint:mnd // the ranges below U+0100
}

// CheckMessage returns the error with which SQS rejects the message of a receipt, or
// nil.
func CheckMessage(receipt inbox.Receipt) error {
	text, err := sqsqueue.Encode(receipt)
	switch {
	case err != nil:
	case len(text) > maxMessage:
		err = errors.New("the message is too long")
	case !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.Is(sqsCharacters, r) }):
		err = errors.New("the message has a character that SQS rejects")
	default:
		return nil
	}
	return fmt.Errorf("%w: %w", inbox.ErrUnsendable, err)
}

package cli

import (
	"strings"
	"unicode/utf8"
)

// Table formats text in columns. Colours do not count as width, which
// text/tabwriter cannot do.
type Table struct {
	Style  Style
	Indent string
	Header []string
	Rows   [][]Cell
}

// Cell is the text of one column in a row, and its colour.
type Cell struct {
	Text   string
	Colour string
}

// Add adds a row. Line breaks in a cell are made visible.
func (t *Table) Add(cells ...Cell) {
	for n := range cells {
		cells[n].Text = Clean(cells[n].Text)
	}
	t.Rows = append(t.Rows, cells)
}

// AddTexts adds a row without colours.
func (t *Table) AddTexts(texts ...string) {
	cells := make([]Cell, len(texts))
	for n, text := range texts {
		cells[n].Text = text
	}
	t.Add(cells...)
}

// AddField adds a row with the name and the value of a field that is set.
func (t *Table) AddField(name, value, colour string) {
	if value != "" {
		t.Add(Cell{Text: name}, Cell{Text: value, Colour: colour})
	}
}

// PrintList prints items as a table, to which add adds the rows of an item, or with
// --json as one line for each item, of what view returns.
func PrintList[T any](s *Session, header []string, items []T, add func(t *Table, item T), view func(item T) any) error {
	t := Table{Style: s.Style(), Header: header}
	for _, item := range items {
		if !s.Flags.JSON {
			add(&t, item)
		} else if err := s.PrintJSON(view(item)); err != nil {
			return err
		}
	}
	if s.Flags.JSON || len(items) == 0 {
		return nil
	}
	return s.Print(t.String())
}

// String returns the table, one row per line.
func (t *Table) String() string {
	var header []Cell
	for _, name := range t.Header {
		header = append(header, Cell{Text: name, Colour: Bold})
	}
	rows := t.Rows
	if len(header) > 0 {
		rows = append([][]Cell{header}, rows...)
	}
	widths := columnWidths(rows)
	var out strings.Builder
	for _, row := range rows {
		out.WriteString(t.line(row, widths))
	}
	return out.String()
}

func columnWidths(rows [][]Cell) []int {
	var widths []int
	for _, row := range rows {
		for len(widths) < len(row) {
			widths = append(widths, 0)
		}
		for n, cell := range row {
			widths[n] = max(widths[n], utf8.RuneCountInString(cell.Text))
		}
	}
	return widths
}

// line formats a row; it pads each cell that another cell follows.
func (t *Table) line(row []Cell, widths []int) string {
	last := 0
	for n, cell := range row {
		if cell.Text != "" {
			last = n
		}
	}
	var out strings.Builder
	out.WriteString(t.Indent)
	for n, cell := range row[:last+1] {
		out.WriteString(t.Style.Paint(cell.Colour, cell.Text))
		if n < last {
			out.WriteString(strings.Repeat(" ", widths[n]-utf8.RuneCountInString(cell.Text)+2))
		}
	}
	return out.String() + "\n"
}

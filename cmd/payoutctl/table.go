package main

import (
	"strings"
	"unicode/utf8"
)

// table is text in columns. Colours do not count as width, which is why it is
// not text/tabwriter.
type table struct {
	style  style
	indent string
	header []string
	rows   [][]cell
}

type cell struct {
	text   string
	colour string
}

func plain(texts ...string) []cell {
	var cells []cell
	for _, text := range texts {
		cells = append(cells, cell{text: text})
	}
	return cells
}

// add adds a row. A cell is one line, whatever its text holds.
func (t *table) add(cells ...cell) {
	for n := range cells {
		cells[n].text = clean(cells[n].text)
	}
	t.rows = append(t.rows, cells)
}

func (t *table) String() string {
	var header []cell
	for _, name := range t.header {
		header = append(header, cell{text: name, colour: bold})
	}
	rows := t.rows
	if len(header) > 0 {
		rows = append([][]cell{header}, rows...)
	}
	widths := widthsOf(rows)
	var out strings.Builder
	for _, row := range rows {
		out.WriteString(t.line(row, widths))
	}
	return out.String()
}

func widthsOf(rows [][]cell) []int {
	var widths []int
	for _, row := range rows {
		for len(widths) < len(row) {
			widths = append(widths, 0)
		}
		for n, cell := range row {
			widths[n] = max(widths[n], utf8.RuneCountInString(cell.text))
		}
	}
	return widths
}

// line pads every cell but those that nothing follows.
func (t *table) line(row []cell, widths []int) string {
	last := 0
	for n, cell := range row {
		if cell.text != "" {
			last = n
		}
	}
	var out strings.Builder
	out.WriteString(t.indent)
	for n, cell := range row[:last+1] {
		out.WriteString(t.style.paint(cell.colour, cell.text))
		if n < last {
			out.WriteString(strings.Repeat(" ", widths[n]-utf8.RuneCountInString(cell.text)+2))
		}
	}
	return out.String() + "\n"
}

// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand"
	"os"
	"os/exec"
	"strings"
)

// filter is a running codec_filter: a length and a text go in, a verdict, a length and a text come out.
type filter struct {
	in  io.WriteCloser
	out *bufio.Reader
}

func start(program, mode string) (*filter, error) {
	cmd := exec.Command(program, mode)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &filter{in, bufio.NewReader(out)}, cmd.Start()
}

// ask gives the filter's answer; failed tells that it is an error message.
func (f *filter) ask(text []byte) (answer string, failed bool, err error) {
	if _, err = fmt.Fprintf(f.in, "%d\n%s", len(text), text); err != nil {
		return "", false, err
	}
	var verdict string
	var size int
	if _, err = fmt.Fscanf(f.out, "%s %d\n", &verdict, &size); err != nil {
		return "", false, err
	}
	data := make([]byte, size)
	_, err = io.ReadFull(f.out, data)
	return string(data), verdict != "ok", err
}

// Pieces of which strings and documents are made: what YAML gives a meaning, and what surrounds it. U+007F is not among them, which
// sigs.k8s.io/yaml cannot write, nor U+0085, of which it makes a space, nor local tags, which end elsewhere in libyaml.
var pieces = []string{" ", " ", "  ", "\n", "\n\n", "\t", "a", "b", "x", "z9", "10", "2", "02", "0", "1", "-", "- ", "?", "? ", ":", ": ",
	"#", " #", ",", "[", "]", "{", "}", "&x ", "*x", "!!str ", "!!int ", "|\n", ">-\n", "'", "\"", "%", "@", "`", "~", "=", "<<",
	"<<: ", "...", "---", "y", "n", "yes", "on", "off", "true", "null", ".inf", ".nan", "0x1F", "0o17", "0b1", "1e3", "1_000", "1:30",
	"2001-01-01", "2001-1-1T1:1:1Z", "\\", "/", "é", "€", "😀", "\u2028", "\u2029", "\u00a0", "\r", "\x00", "\x07", "\x1b",
	"--flag=value", "long words with spaces", ".", "_", "+", "-0", "1.5", "e", "E", "日本", "٣", "²"}

var documents = []string{"a: 1\nb:\n- c\n- d: e\n  f: [1, 2, {g: h}]\n", "a: &x\n  p: 1\nb:\n  <<: *x\n  q: 2\n",
	"a: |\n  l1\n   l2\n\n  l3\nb: >\n  f1\n  f2\n\n  f3\nc: 'q ''x'' y'\nd: \"e\\n\\x41\\u263a\\\n  z\"\n", "? a\n: b\n- c\n",
	"- - a\n  - b\n-\n  - c\n- !!str 1\n", "{\"a\":[1,2.5,\"x\"],\"b\":{\"c\":null}}", "a: b # c\n# d\n\ne:   f   \n",
	"<<: [{a: 1}, {b: 2}]\na: 3\n", "a: >-\n  x\n  y\n\nb: |+\n  z\n\n\n", "a: \"x\n  y\n\n  z\"\n"}

type generator struct{ *rand.Rand }

func (g generator) pick(from []string) string { return from[g.Intn(len(from))] }

func (g generator) some(from []string, most int) string {
	var s strings.Builder
	for range g.Intn(most + 1) {
		s.WriteString(g.pick(from))
	}
	return s.String()
}

func (g generator) str() string {
	switch g.Intn(6) {
	case 0:
		return g.pick(pieces)
	case 1:
		return g.some([]string{"word", "w", "--long-word=x", " ", " ", " ", "  ", "é"}, 80)
	case 2:
		return g.some([]string{"line\n", "  x\n", "a: b\n", "# c\n", "\n", "end \n", "last"}, 6)
	case 3:
		return g.some([]string{"0", "1", "5", "9", "_", ".", "-", "+", "e", "E", "x", "b", "o", ":", "T", "Z", " ", "f"}, 12)
	case 4:
		return g.pick([]string{"a", "b", "A", "key", "a1-", "é"}) + g.some([]string{"0", "1", "9"}, 3)
	}
	return g.some(pieces, 20)
}

func (g generator) number() json.Number {
	return json.Number(g.pick([]string{"0", "-0", "-0.0", "1.0", "1e3", "1e6", "123456789.0", "1e-7", "1e21", "1e400", "0.1",
		"9223372036854775808", "-9223372036854775809", "18446744073709551616", fmt.Sprint(g.Int63()), fmt.Sprint(g.NormFloat64())}))
}

func (g generator) value(depth int) any {
	kind := g.Intn(8)
	if depth == 0 {
		kind = 3 + g.Intn(5)
	}
	switch kind {
	case 0, 1:
		m := map[string]any{}
		for range g.Intn(5) {
			key := g.str()
			if g.Intn(20) == 0 {
				key += strings.Repeat("k", 120)
			}
			m[strings.ReplaceAll(key, "\x00", "")] = g.value(depth - 1)
		}
		return m
	case 2:
		l := []any{}
		for range g.Intn(5) {
			l = append(l, g.value(depth-1))
		}
		return l
	case 3:
		return g.number()
	case 4:
		return []any{true, false, nil}[g.Intn(3)]
	}
	return g.str()
}

// mutate changes a document at one place.
func (g generator) mutate(text string) string {
	if text == "" {
		return g.pick(pieces)
	}
	from := g.Intn(len(text))
	to := from + g.Intn(min(20, len(text)-from)+1)
	switch g.Intn(4) {
	case 0:
		return text[:from] + text[to:]
	case 1:
		return text[:to] + text[from:]
	case 2:
		return text[:from] + g.pick(pieces) + text[to:]
	}
	return text[:from] + g.pick(pieces) + text[from:]
}

// compact brings JSON of either side to one form.
func compact(text string) string {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		return "not JSON: " + err.Error()
	}
	out, _ := json.Marshal(v)
	return string(out)
}

type comparison struct {
	generator
	writer, reader *filter
	differences    map[string]int
}

func (c *comparison) report(what, input, theirs, ours string) {
	if c.differences[what]++; c.differences[what] <= 3 {
		fmt.Printf("%s\n  input  %q\n  theirs %q\n  ours   %q\n", what, input, theirs, ours)
	}
}

func (c *comparison) compareWriting() error {
	var text bytes.Buffer
	if err := json.NewEncoder(&text).Encode(c.value(4)); err != nil {
		return err
	}
	wanted, err := write(text.Bytes())
	if err != nil {
		return err
	}
	got, _, err := c.writer.ask(text.Bytes())
	if err == nil && got != string(wanted) && !mayWrite(text.Bytes(), got) {
		c.report("written differently", text.String(), string(wanted), got)
	}
	return err
}

// mayWrite tells whether the library writes that YAML at times: its order of keys has cycles, where the result hangs on the random order
// of Go's maps.
func mayWrite(text []byte, yaml string) bool {
	for range 200 {
		if wanted, err := write(text); err == nil && string(wanted) == yaml {
			return true
		}
	}
	return false
}

func (c *comparison) compareReading() error {
	text := c.pick(documents)
	for range 1 + c.Intn(4) {
		text = c.mutate(text)
	}
	wanted, refused := read([]byte(text))
	got, failed, err := c.reader.ask([]byte(text))
	switch {
	case err != nil:
		return err
	case refused != nil && !failed:
		c.report("taken by us alone", text, refused.Error(), got)
	case refused == nil && failed:
		c.report("refused by us alone", text, string(wanted), got)
	case refused == nil && compact(got) != compact(string(wanted)):
		c.report("read differently", text, string(wanted), got)
	}
	return nil
}

// compare fails when something is written or read differently. What one side refuses is counted and shown only: docs/YAML.md names
// the reasons.
func compare(program string, seed int64, count int) error {
	c := comparison{generator: generator{rand.New(rand.NewSource(seed))}, differences: map[string]int{}}
	var err error
	if c.writer, err = start(program, "write"); err != nil {
		return err
	}
	if c.reader, err = start(program, "read"); err != nil {
		return err
	}
	for range count {
		if err := c.compareWriting(); err != nil {
			return err
		}
		if err := c.compareReading(); err != nil {
			return err
		}
	}
	fmt.Printf("seed %d, %d texts each way: %v\n", seed, count, c.differences)
	if c.differences["written differently"]+c.differences["read differently"] > 0 {
		return fmt.Errorf("the two differ")
	}
	return nil
}

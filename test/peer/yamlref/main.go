// SPDX-License-Identifier: Apache-2.0

// yamlref says what sigs.k8s.io/yaml makes of YAML and JSON texts, for the tests of lib/codec. Run it with `go run .` in its
// own directory.
//
//	yamlref fill FILE...                 complete case files in place (see below)
//	yamlref compare PROGRAM SEED COUNT   compare PROGRAM (build/test/unit/codec/codec_filter) on random texts
//
// A case file has one JSON object a line. `{"json": TEXT}` becomes a case of writing, with the bytes wanted in "yaml";
// `{"read": TEXT}` one of reading, with the JSON of the first document in "json", or "error": true.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"

	goyaml "go.yaml.in/yaml/v2"
	"sigs.k8s.io/yaml"
)

type testCase struct {
	Read  *string `json:"read,omitempty"`
	JSON  *string `json:"json,omitempty"`
	YAML  *string `json:"yaml,omitempty"`
	Error bool    `json:"error,omitempty"`
}

// write gives the YAML of a JSON text.
func write(text []byte) ([]byte, error) {
	return yaml.JSONToYAML(text)
}

// read gives the JSON of the first document; an error in a later one counts as well, since our loader reads them all.
func read(text []byte) (result []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	for decoder := goyaml.NewDecoder(bytes.NewReader(text)); ; {
		var document any
		if err := decoder.Decode(&document); err == io.EOF {
			break
		} else if err != nil {
			return nil, err
		}
	}
	return yaml.YAMLToJSON(text)
}

func (c *testCase) fill() error {
	if c.Read == nil && c.JSON == nil {
		return fmt.Errorf("neither \"read\" nor \"json\"")
	}
	if c.Read == nil {
		text, err := write([]byte(*c.JSON))
		c.YAML = ref(string(text))
		return err
	}
	c.JSON = nil
	text, err := read([]byte(*c.Read))
	if c.Error = err != nil; !c.Error {
		c.JSON = ref(string(text))
	}
	return nil
}

func ref(s string) *string { return &s }

func fill(name string) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<20)
	for number := 1; lines.Scan(); number++ {
		var c testCase
		err := json.Unmarshal(lines.Bytes(), &c)
		if err == nil {
			err = c.fill()
		}
		if err == nil {
			err = encoder.Encode(&c)
		}
		if err != nil {
			return fmt.Errorf("%s:%d: %w", name, number, err)
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return os.WriteFile(name, out.Bytes(), 0o644)
}

func run(args []string) error {
	switch {
	case len(args) >= 2 && args[0] == "fill":
		for _, name := range args[1:] {
			if err := fill(name); err != nil {
				return err
			}
		}
		return nil
	case len(args) == 4 && args[0] == "compare":
		seed, err := strconv.ParseInt(args[2], 10, 64)
		if err != nil {
			return err
		}
		count, err := strconv.Atoi(args[3])
		if err != nil {
			return err
		}
		return compare(args[1], seed, count)
	}
	return fmt.Errorf("usage: yamlref fill FILE... | yamlref compare PROGRAM SEED COUNT")
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "yamlref:", err)
		os.Exit(1)
	}
}

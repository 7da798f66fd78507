// SPDX-License-Identifier: Apache-2.0

// Laid beside the sources of a copy of github.com/coredns/corefile-migration by update.py, whose tables nothing
// outside of their package sees. TestTables prints what they say of each CoreDNS release, TestAnswers what the library
// answers to the questions of the file QUESTIONS; both write JSON lines into the file ANSWERS.
package migration

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"testing"

	"github.com/coredns/corefile-migration/migration/corefile"
)

// A row: of a plugin, of one of its options, or (When) of the whole Corefile.
type fact struct {
	Plugin     string   `json:"plugin,omitempty"`
	Option     string   `json:"option,omitempty"`
	Status     string   `json:"status,omitempty"`
	ReplacedBy string   `json:"replacedBy,omitempty"`
	When       string   `json:"whole,omitempty"`
	Action     string   `json:"action,omitempty"`
	Add        string   `json:"add,omitempty"`
	To         []string `json:"to,omitempty"`
}

type tables struct {
	Version string `json:"version"`
	Next    string `json:"next"`
	Default string `json:"default"`
	Facts   []fact `json:"facts"`
}

// The functions are told apart by where they are, which is all that Go says of them.
func address(function interface{}) uintptr { return reflect.ValueOf(function).Pointer() }

var actionNames = map[uintptr]string{
	address(removeOption):                                       "remove",
	address(useFirstArgumentOnly):                               "firstArgument",
	address(proxyRemoveHttpsGoogleProtocol):                     "removeHttpsGoogle",
	address(proxyToForwardOptionsMigrations["policy"].action):   "proxyPolicy",
	address(proxyToForwardOptionsMigrations["protocol"].action): "proxyProtocol",
	address(proxyToForwardPluginAction):                         "renameToForward",
	address(breakForwardStubDomainsIntoServerBlocks):            "splitStubDomains",
}

func actionName(t *testing.T, function interface{}) string {
	if reflect.ValueOf(function).IsNil() {
		return ""
	}
	name, ok := actionNames[address(function)]
	if !ok {
		t.Fatal("an action that has no name in actionNames")
	}
	return name
}

// What is added is seen by adding it to a block with one plugin after another.
func addedPlugin(t *testing.T, add serverActionFn) (line string, to []string) {
	for _, name := range []string{"forward", "kubernetes", "proxy", "errors"} {
		server, err := add(&corefile.Server{Plugins: []*corefile.Plugin{{Name: name}}})
		if err != nil {
			t.Fatal(err)
		}
		if len(server.Plugins) == 2 {
			line, to = server.Plugins[1].ToString(), append(to, name)
		}
	}
	return line, to
}

func addedOption(t *testing.T, add pluginActionFn) string {
	plugin, err := add(&corefile.Plugin{})
	if err != nil || len(plugin.Options) != 1 {
		t.Fatal("an option that is not added")
	}
	return plugin.Options[0].ToString()
}

func (f *fact) counts() bool { return f.Status != "" || f.Action != "" }

func factsOf(t *testing.T, v release) (facts []fact) {
	for name, p := range v.plugins {
		f := fact{Plugin: name, Status: p.status, ReplacedBy: p.replacedBy, Action: actionName(t, p.action)}
		if p.status == "newdefault" {
			f.Add, f.To = addedPlugin(t, p.add)
		}
		if p.additional != "" {
			t.Fatal("there is something additional")
		}
		if f.counts() {
			facts = append(facts, f)
		}
		for option, o := range p.namedOptions {
			f := fact{Plugin: name, Option: option, Status: o.status, Action: actionName(t, o.action)}
			if o.status == "newdefault" {
				f.Add = addedOption(t, o.add)
			}
			if f.counts() {
				facts = append(facts, f)
			}
		}
		for _, o := range p.patternOptions {
			if o.status != "" || o.action != nil {
				t.Fatal("something is said of a pattern")
			}
		}
	}
	for _, whole := range wholeActions(v) {
		if whole.function != nil {
			facts = append(facts, fact{When: whole.when, Action: actionName(t, whole.function)})
		}
	}
	return facts
}

func write(t *testing.T, lines func(*json.Encoder)) {
	f, err := os.Create(os.Getenv("ANSWERS"))
	if err != nil {
		t.Fatal(err)
	}
	encoder := json.NewEncoder(f)
	encoder.SetEscapeHTML(false)
	lines(encoder)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestTables(t *testing.T) {
	write(t, func(encoder *json.Encoder) {
		for version, v := range Versions {
			_ = encoder.Encode(tables{version, v.nextVersion, v.defaultConf, factsOf(t, v)})
		}
	})
}

type question struct {
	Kubeadm  string `json:"kubeadm"`
	From     string `json:"from"`
	To       string `json:"to"`
	Corefile string `json:"corefile"`
}

type answer struct {
	question
	Written  *string  `json:"written"` // as it is read; null where the library dies of it
	Default  bool     `json:"default"`
	Changes  []string `json:"changes"`
	Needed   bool     `json:"needed"`
	Error    string   `json:"error"` // of the changes
	Migrated *string  `json:"migrated"`
	Failure  string   `json:"failure"` // of migrating: "dies", or its words
}

func (a *answer) fill() {
	if cf, err := corefile.New(a.Corefile); err == nil {
		text := cf.ToString()
		a.Default = Default("", a.Corefile)
		a.Written = &text
	}
	notices, err := Deprecated(a.From, a.To, a.Corefile)
	if err != nil {
		a.Error = err.Error()
	}
	for _, n := range notices {
		a.Changes = append(a.Changes, n.ToString())
		a.Needed = a.Needed || n.Severity == "removed" || n.Severity == "newdefault"
	}
	a.Failure = "dies"
	text, err := Migrate(a.From, a.To, a.Corefile, false)
	if a.Failure = ""; err != nil {
		a.Failure = err.Error()
	} else {
		a.Migrated = &text
	}
}

func TestAnswers(t *testing.T) {
	text, err := os.ReadFile(os.Getenv("QUESTIONS"))
	if err != nil {
		t.Fatal(err)
	}
	var questions []question
	if err := json.Unmarshal(text, &questions); err != nil {
		t.Fatal(err)
	}
	write(t, func(encoder *json.Encoder) {
		for _, q := range questions {
			a := answer{question: q}
			func() {
				defer func() {
					if why := recover(); why != nil {
						fmt.Println(why)
					}
				}()
				a.fill()
			}()
			_ = encoder.Encode(a)
		}
	})
}

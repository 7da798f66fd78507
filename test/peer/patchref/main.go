// SPDX-License-Identifier: Apache-2.0

// Command patchref says what the libraries that kubeadm links make of patches. Each line of standard input is
// {"type": "strategic|merge|json", "document": {...}, "patch": ...}; each line of standard output is {"result": ..., "pod": {...},
// "error": "...", "wrong": bool}: the patched document, the same decoded and encoded as a Pod, or why there is none. record.py
// makes test/data/patches with it.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"os"

	jsonpatch "JSONPATCH"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	serializer "k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

type question struct {
	Type     string          `json:"type"`
	Document json.RawMessage `json:"document"`
	Patch    json.RawMessage `json:"patch"`
}

type answer struct {
	Result json.RawMessage `json:"result,omitempty"`
	Pod    json.RawMessage `json:"pod,omitempty"`
	Error  string          `json:"error,omitempty"`
	Wrong  bool            `json:"wrong,omitempty"` // the result is no Pod
}

func patch(q *question) ([]byte, error) {
	switch q.Type {
	case "json":
		operations, err := jsonpatch.DecodePatch(q.Patch)
		if err != nil {
			return nil, err
		}
		return operations.Apply(q.Document)
	case "merge":
		return jsonpatch.MergePatch(q.Document, q.Patch)
	default:
		return strategicpatch.StrategicMergePatch(q.Document, q.Patch, v1.Pod{})
	}
}

func ask(q *question, codec runtime.Serializer) (a answer) {
	defer func() {
		if r := recover(); r != nil {
			a = answer{Error: fmt.Sprintf("panic: %v", r)}
		}
	}()
	result, err := patch(q)
	if err != nil {
		return answer{Error: err.Error()}
	}
	a.Result = result
	object, _, err := codec.Decode(result, nil, nil)
	if err != nil {
		a.Wrong = true
		return a
	}
	pod, err := json.Marshal(object)
	if err != nil {
		log.Fatal(err)
	}
	a.Pod = pod
	return a
}

func main() {
	scheme := runtime.NewScheme()
	if err := v1.AddToScheme(scheme); err != nil {
		log.Fatal(err)
	}
	codec := serializer.NewSerializerWithOptions(serializer.DefaultMetaFactory, scheme, scheme, serializer.SerializerOptions{})
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 16<<20)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		var q question
		if err := json.Unmarshal(in.Bytes(), &q); err != nil {
			log.Fatal(err)
		}
		if err := out.Encode(ask(&q, codec)); err != nil {
			log.Fatal(err)
		}
	}
}

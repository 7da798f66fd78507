// SPDX-License-Identifier: Apache-2.0

// Command apitypes prints the Go types that make up a Pod of core/v1, the Deployment and DaemonSet of apps/v1, the
// kubelet's KubeletConfiguration and the Taint of kubeadm's configuration as JSON: {type: [field...]}, each field with its
// JSON name, its type, whether an empty one is left out, and how a strategic merge patch treats it. update.py runs it for
// one version of k8s.io/api and k8s.io/kubelet after another and makes templates/pod-types.yaml of what it says. With the
// argument "others" it prints the types of all kinds of v1 and apps/v1.
package main

import (
	"encoding/json"
	"log"
	"os"
	"reflect"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	kubelet "k8s.io/kubelet/config/v1beta1"
)

type field struct {
	Name     string   `json:"name"`
	Type     string   `json:"type"`
	Always   bool     `json:"always"`
	OmitZero bool     `json:"omitZero"`
	Strategy []string `json:"strategy"`
	Key      string   `json:"key"`
}

// Types that decode and encode themselves.
var opaque = map[string]string{
	"resource.Quantity":      "Quantity",
	"resource.QuantityValue": "Quantity",
	"intstr.IntOrString":     "IntOrString",
	"v1.Time":                "Time",
	"v1.MicroTime":           "MicroTime",
	"v1.Duration":            "Duration",
	"time.Duration":          "int64",
	"v1.TimeOrMetaDuration":  "TimeOrDuration",
	"v1.FieldsV1":            "any",
	"runtime.RawExtension":   "any",
	"map[string][]string":    "any",
}

func typeName(t reflect.Type, types map[string][]field) string {
	if name, ok := opaque[t.String()]; ok {
		return name
	}
	switch t.Kind() {
	case reflect.Pointer:
		return "*" + typeName(t.Elem(), types)
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return "bytes"
		}
		return "[]" + typeName(t.Elem(), types)
	case reflect.Map:
		return "map[" + t.Key().Kind().String() + "]" + typeName(t.Elem(), types)
	case reflect.Struct:
		describe(t, types)
		return t.Name()
	case reflect.Int:
		return "int64"
	default:
		return t.Kind().String()
	}
}

// What encoding/json leaves out for omitempty.
func mayBeEmpty(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Struct, reflect.Array:
		return false
	default:
		return true
	}
}

func fieldsOf(t reflect.Type, types map[string][]field) []field {
	var fields []field
	for i := 0; i < t.NumField(); i++ {
		f := t.Field(i)
		tag := strings.Split(f.Tag.Get("json"), ",")
		if tag[0] == "-" || (!f.IsExported() && !f.Anonymous) {
			continue
		}
		if f.Anonymous && tag[0] == "" {
			embedded := f.Type
			if embedded.Kind() == reflect.Pointer {
				embedded = embedded.Elem()
			}
			fields = append(fields, fieldsOf(embedded, types)...)
			continue
		}
		row := field{Name: tag[0], Key: f.Tag.Get("patchMergeKey"), Strategy: []string{}}
		if row.Name == "" {
			row.Name = f.Name
		}
		omitEmpty := false
		for _, option := range tag[1:] {
			switch option {
			case "omitempty":
				omitEmpty = true
			case "omitzero":
				row.OmitZero = true
			case "string":
				log.Fatalf("%s.%s: json:\",string\" is not known", t, f.Name)
			}
		}
		row.Always = !(omitEmpty && mayBeEmpty(f.Type)) && !row.OmitZero
		if strategy := f.Tag.Get("patchStrategy"); strategy != "" {
			row.Strategy = strings.Split(strategy, ",")
		}
		row.Type = typeName(f.Type, types)
		fields = append(fields, row)
	}
	return fields
}

func describe(t reflect.Type, types map[string][]field) {
	if _, ok := types[t.Name()]; ok {
		return
	}
	types[t.Name()] = nil // a type within itself
	types[t.Name()] = fieldsOf(t, types)
}

func main() {
	types := map[string][]field{}
	if len(os.Args) > 1 && os.Args[1] == "others" {
		scheme := runtime.NewScheme()
		for _, add := range []func(*runtime.Scheme) error{v1.AddToScheme, appsv1.AddToScheme} {
			if err := add(scheme); err != nil {
				log.Fatal(err)
			}
		}
		for kind, t := range scheme.AllKnownTypes() {
			if kind.Version != runtime.APIVersionInternal {
				describe(t, types)
			}
		}
	}
	for _, object := range []any{v1.Pod{}, appsv1.Deployment{}, appsv1.DaemonSet{}, kubelet.KubeletConfiguration{}, v1.Taint{}} {
		describe(reflect.TypeOf(object), types)
	}
	if err := json.NewEncoder(os.Stdout).Encode(types); err != nil {
		log.Fatal(err)
	}
}

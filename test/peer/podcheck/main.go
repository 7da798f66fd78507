// SPDX-License-Identifier: Apache-2.0

// Command podcheck says what Kubernetes' own code makes of manifests of static pods: it decodes, defaults and validates
// them as the kubelet's file source does. Each line of standard input is a manifest as a JSON string; each line of
// standard output is {"errors": [...], "pod": {...}, "qos": "..."}. test/data/pods/defaults.jsonl was recorded with it,
// and test/peer/podcheck/differential holds podwatch's reading beside it on random manifests.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"os"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	podutil "k8s.io/kubernetes/pkg/api/pod"
	api "k8s.io/kubernetes/pkg/apis/core"
	"k8s.io/kubernetes/pkg/apis/core/helper"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	corev1 "k8s.io/kubernetes/pkg/apis/core/v1"
	"k8s.io/kubernetes/pkg/apis/core/v1/helper/qos"
	"k8s.io/kubernetes/pkg/apis/core/validation"
	"k8s.io/kubernetes/pkg/capabilities"
)

const nodeName = "node"

type verdict struct {
	Errors []string `json:"errors,omitempty"`
	Pod    *v1.Pod  `json:"pod,omitempty"`
	Qos    string   `json:"qos,omitempty"`
}

func decode(manifest []byte) (*api.Pod, error) {
	data, err := utilyaml.ToJSON(manifest)
	if err != nil {
		return nil, fmt.Errorf("yaml: %w", err)
	}
	object, err := runtime.Decode(legacyscheme.Codecs.UniversalDecoder(), data)
	if err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	pod, ok := object.(*api.Pod)
	if !ok {
		return nil, fmt.Errorf("no pod but %T", object)
	}
	if pod.Name == "" {
		return nil, fmt.Errorf("name is needed for the pod")
	}
	return pod, nil
}

// identify does what the kubelet does to a pod from a file, but for the hash that becomes its UID.
func identify(pod *api.Pod) {
	if pod.UID == "" {
		pod.UID = "none"
	}
	pod.Name += "-" + nodeName
	if pod.Namespace == "" {
		pod.Namespace = "default"
	}
	pod.Spec.NodeName = nodeName
	if pod.Annotations == nil {
		pod.Annotations = map[string]string{}
	}
	pod.Annotations["kubernetes.io/config.hash"] = string(pod.UID)
	helper.AddOrUpdateTolerationInPod(pod, &api.Toleration{Operator: "Exists", Effect: api.TaintEffectNoExecute})
}

func check(manifest []byte) verdict {
	var result verdict
	pod, err := decode(manifest)
	if err != nil {
		return verdict{Errors: []string{err.Error()}}
	}
	identify(pod)
	options := podutil.GetValidationOptionsFromPodSpecAndMeta(&pod.Spec, nil, &pod.ObjectMeta, nil)
	for _, e := range validation.ValidatePodCreate(pod, options) {
		result.Errors = append(result.Errors, e.Error())
	}
	if _, resource, err := podutil.HasAPIObjectReference(pod); err != nil {
		result.Errors = append(result.Errors, err.Error())
	} else if resource != "" {
		result.Errors = append(result.Errors, "static pods may not reference "+resource)
	}
	result.Pod = &v1.Pod{}
	if err := corev1.Convert_core_Pod_To_v1_Pod(pod, result.Pod, nil); err != nil {
		return verdict{Errors: append(result.Errors, "convert: "+err.Error())}
	}
	result.Pod.APIVersion, result.Pod.Kind = "v1", "Pod"
	result.Qos = string(qos.ComputePodQOS(result.Pod))
	return result
}

func main() {
	capabilities.Initialize(capabilities.Capabilities{AllowPrivileged: true})
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 64<<20)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		var manifest string
		if err := json.Unmarshal(in.Bytes(), &manifest); err != nil {
			log.Fatal(err)
		}
		if err := out.Encode(check([]byte(manifest))); err != nil {
			log.Fatal(err)
		}
	}
	if err := in.Err(); err != nil {
		log.Fatal(err)
	}
}

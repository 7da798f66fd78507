// The YAML library that kubeadm and the kubelet of Kubernetes v1.36.3 link, to compare lib/codec with.
module genphase.test/peer/yamlref

go 1.24

require (
	go.yaml.in/yaml/v2 v2.4.3
	sigs.k8s.io/yaml v1.6.0
)

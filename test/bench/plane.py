# SPDX-License-Identifier: Apache-2.0
"""A control plane from its manifests to an API server that is ready, and to mirrors that are."""
import time

ALL = ('etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler')


def bench_plane(table):
    """The manifests carry kubeadm's probes: no pod is Ready before the first delay of 10 s is over."""
    from cluster import Cluster, Podwatch
    from harness import Host
    with Host('bench-plane') as host:
        cluster = Cluster(host)
        cluster.build_images()
        podwatch = Podwatch(host, kubeconfig='/etc/kubernetes/kubelet.conf').start()
        cluster.render('certs all', 'kubeconfig all')
        begin = time.monotonic()
        cluster.render('etcd local', 'control-plane all')
        cluster.wait_api(120)
        ready = time.monotonic() - begin
        cluster.bind_admins()
        cluster.wait_mirrors(*ALL, timeout=120)
        table.add('control plane: manifests to ready API server', ready, None, 's', 3.5, '<= 3.5 s')
        table.add('control plane: manifests to all mirrors Ready', time.monotonic() - begin, None, 's', 14, '<= 14 s')
        podwatch.stop()

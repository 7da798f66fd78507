# SPDX-License-Identifier: Apache-2.0
"""What values there are to choose from. Each pool: those that are right, and those that kubeadm refuses or that have a catch."""
from .yaml_text import Raw

ADDRESS = (['192.0.2.10', '10.0.0.5', '192.0.2.10', 'fd00::10', '2001:DB8:0:0::1', '1:2:3:4:5:6:7:8', '::ffff:10.0.0.1', '203.0.113.255'],
           ['0.0.0.0', '::', 'foo', '256.1.1.1', '01.2.3.4', '10.0.0.1/24', 'fe80::1%eth0', '224.0.0.1', '169.254.1.1', ' 10.0.0.1', '::1',
            'fe80::1', '255.255.255.255', 'ff02::1', Raw('10'), Raw('1.5'), Raw('true'), Raw('null')])
PORT = ([6443, 7443, 443, 1, 65535], [0, 65536, -1, '6443', Raw('6443.0'), Raw('6443.5'), Raw('0x1926'), Raw('1e3'), Raw('null'), 'x', 99999999999])
NODE_NAME = (['node1', 'cp-0.example.org', 'UPPER', 'a', '1', '10.0.0.1', ' node1 ', 'n' * 63],
             ['under_score', '-a', 'a..b', 'a b', 'n' * 254, 'ä', Raw('1'), Raw('true'), 'fd00::1', 'node.'])
CRI_SOCKET = (['unix:///run/containerd/containerd.sock', 'unix:///var/run/crio/crio.sock', 'unix:///run/containerd/containerd.sock'],
              ['/run/containerd/containerd.sock', 'tcp://127.0.0.1:5', 'relative.sock', 'npipe:////./pipe/x', 'unix:/run/x', 'unix://run/x', ':bad', 'http://%zz'])
TAINTS = ([[], [{'key': 'a', 'value': 'b', 'effect': 'NoSchedule'}], Raw('null')], [{'key': 'x'}, [{'effect': 'Sometimes', 'key': 'k'}], ['x'], 'none'])
TOKEN = (['abcdef.0123456789abcdef', '000000.0000000000000000'], ['abcdef', 'ABCDEF.0123456789abcdef', 'abcdef.0123456789abcdeg!', 'abcdef.0123456789abcde', 12])
DURATION = (['4m0s', '90s', '1h', '4m5s', '0s', '1.5m', '100ms', '1h0m0.5s', '0', '-5s', '10s', '2562047h'],
            ['4', '1d', 'x', '', 60, '5 s', '1m1', '9999999999h', Raw('null'), Raw('4m'), '.5s', '1e3s', '+1m', '1µs'])
DNS_DOMAIN = (['cluster.local', 'k8s.example.org', 'a', 'x-1.y'], ['BAD.Domain', 'a_b', '-a', 'a..b', 'a.', 'x' * 254, ' a', 7, Raw('true'), 'ü.org'])
SERVICE_SUBNET = (['10.96.0.0/12', '172.20.0.0/16', '10.0.0.0/24', 'fd00:2::/112', '10.96.0.0/12,fd00:2::/112', 'fd00:2::/112,10.96.0.0/16', '10.96.7.9/20',
                   '10.0.0.0/28', 'fd00::/108'],
                  ['10.0.0.0/8', '10.0.0.0/29', '10.0.0.0', '10.0.0.0/33', 'x', '10.0.0.0/16,10.1.0.0/16', '10.0.0.0/16,fd00::/112,fd01::/112', 'fd00::/64', 'fd00::/125',
                   '10.0.0.0/16,', ',', ' 10.0.0.0/16', '10.0.0.0/16, fd00::/112', '::ffff:10.0.0.0/112', '010.0.0.0/16', '10.0.0.0/8,fd00::/64', 5, Raw('null'), '0.0.0.0/0', '10.0.0.0/31'])
POD_SUBNET = (['10.244.0.0/16', '192.168.0.0/16', 'fd00:1::/64', 'fd00:1::/56', '10.244.0.0/16,fd00:1::/56', 'fd00:1::/56,10.244.0.0/16', '10.0.0.0/8', '10.244.0.0/24', '10.1.2.3/16'],
              ['10.0.0.0/7', '10.0.0.0/25', '10.0.0.0/28', '10.0.0.0/29', 'x', '10.0.0.0/16,10.1.0.0/16', 'fd00::/40', 'fd00::/112', '10.244.0.0/16,fd00:1::/40', '10.244.0.0/25,fd00:1::/112',
               '10.244.0.0/16,fd00:1::/64,fd00:2::/64', '10.244.0.0/16,', 'fd00::/48', 'fd00::/47', '0.0.0.0/0', '10.0.0.0/32', 'fd00::/128'])
ENDPOINT = (['lb.example.org', 'lb.example.org:443', '10.9.9.9:8443', '10.9.9.9', '[fd00::99]:6443', 'fd00::99', 'LB.example.org', 'a'],
            ['lb_x:1', 'lb.example.org:0', 'lb.example.org:99999', ':6443', 'http://lb', 'a b', '[fd00::99]', '10.9.9.9:', 'lb:x', '256.0.0.1', '10.0.0.1:6443:1', '-', 'LB_:6443', '*.example.org',
             'fd00::99:6443', '[10.0.0.1]:6443', 'lb:+1', 'lb:06443', 3])
ALT_NAMES = (['api.example.org', '10.3.3.3', '*.example.org', 'fd00::7', 'API.Example.ORG', 'api.example.org', 'localhost', 'kubernetes', '10.96.0.1'],
             ['a_b', '*', 'a.*.b', 'http://x', '', ' ', '10.3.3.3/24', 'x..y', '-a', '*.*.x', 'ä.org', 5, '1.2.3', 'a:1', 'x' * 254, '300.1.1.1'])
DIRECTORY = (['/etc/kubernetes/pki', '/srv/pki', '/srv/pki/', '/etc/ssl/certs/k8s', '/srv//pki/./x', '/srv/pki/../keys', '/etc/pki2'],
             ['relative', '', '.', '~/pki', 'C:/x', Raw('null'), 7])
IMAGE_REPOSITORY = (['registry.example.org:5000/k8s', 'mirror.example.org/a/b', 'k8s.gcr.io', 'registry.k8s.io', 'localhost', 'a', '10.0.0.1:5000/x_y/z'],
                    ['Upper.Example.org/X', 'a//b', 'a/', 'http://a/b', ' a', 'a b', '[fd00::1]:5000/k', 'a:tag', 'a@sha256:x', '-a', 'a/_b', '_a/b'])
IMAGE_TAG = (['3.5.9-0', '3.6.5-0', 'v1.11.1', 'v3.5.0', '3.4.13-0', '3.6.0', '3.5.24-0', 'latest', '3.10', '3.6.0-rc.1'], ['a b', '', 'x:y', Raw('3.5'), Raw('3'), '-', 'v' * 129])
PATH = (['/etc/etcd/pki/ca.crt', '/opt/a/c.crt', '/opt/a/b/c.crt', '/opt/etcd/c.key', '/opt/etcd-client/c.crt', '/etc/kubernetes/pki/etcd/ca.crt', '/etc/pki2/x.crt', '/etc/ssl/certs/e.crt',
         '/etc/pki/ca.crt', '/ca.crt', '/usr/share/ca-certificates/x/y.crt', '/opt//a/../b/x.crt', '/opt/x/'], ['relative.crt', '', './x', 5, Raw('null')])
ETCD_ENDPOINT = (['https://10.0.0.2:2379', 'https://10.0.0.3:2379', 'https://[fd00::2]:2379', 'https://etcd.example.org:2379', 'https://10.0.0.2'],
                 ['http://10.0.0.2:2379', '10.0.0.2:2379', 'https://', '', 'unix:///x', 'https://a b', '://x', 'https://10.0.0.2:x', 'https://etcd_x:1', 'HTTPS://10.0.0.2:2379', '/x', 'etcd', 'https://%zz'])
CLUSTER_NAME = (['kubernetes', 'proving-ground', 'a b', 'x' * 100, 'one two three ' * 10, 'ä', 'a: b', '', 'yes', '7'], [Raw('7'), Raw('true'), ['a'], Raw('null'), 'tab\there', 'nl\nx'])
ALGORITHM = (['RSA-2048', 'ECDSA-P256', 'ECDSA-P256', 'ECDSA-P256'], ['RSA-1024', 'rsa-2048', 'RSA', '', 'ECDSA-P521', 'ML-DSA-44', 'ECDSA-P384', 'RSA-4097', 5])
ALGORITHM_WITHOUT_SIZE = (['RSA', 'ECDSA'], ['RSA-2048', 'ECDSA-P256', 'rsa', '', 5])
VALIDITY = (['8760h0m0s', '1h0m0s', '87600h', '0s', '24h'], ['-1h', 'x', 5, '1y', '999999h', '1s'])
CERTIFICATE_KEY = (['e6a2eb8581237ab72a4f494f30285ec12a9694d750b9785706a83bfcbbbd2204'], ['xyz', 'e6a2', 'e6a2eb8581237ab72a4f494f30285ec1', 7])
PULL_POLICY = (['Always', 'IfNotPresent', 'Never'], ['always', '', 'Sometimes', 1])
IGNORE = ([['Swap'], ['swap', 'Port-6443'], [], ['all']], ['Swap', [1], ['', 'x'], ['all', 'Swap'], Raw('null')])
SKIP = ([['preflight'], ['addon/coredns'], []], [['nosuch'], 'x', [''], ['control-plane'], [3]])
PATH_TYPE = (['', 'File', 'Directory', 'DirectoryOrCreate', 'FileOrCreate', 'Socket'], ['Dir', 'file', 3, Raw('null')])
BOOLEAN = ([True, False], ['true', 'yes', Raw('yes'), Raw('on'), Raw('~'), 1, Raw('True')])
HOST_PATH = (['/opt/x', '/opt/y/', '/etc/ssl/certs', '/var/log/audit', '/', '/opt/with space', '/opt/a:b'], ['relative', '', Raw('null'), 7])
VOLUME_NAME = (['extra', 'aaa', 'zzz', 'ca-certs', 'k8s-certs', 'audit', 'a10', 'a2', 'etcd-data', 'kubeconfig', 'flexvolume-dir', 'etc-pki', 'etcd-certs-0', 'B'],
               ['', 'Under_Score', Raw('1'), 'x' * 64, Raw('null')])
ARG_VALUE = (['', 'x', '4', 'true', 'a=b', 'a,b', 'a: b', 'a #b', 'tab\there', 'trailing ', ' leading', 'word ' * 40, 'w' * 120, 'ä', '*', "it's", '"q"', '[a]', '{x}', '%', '~', 'x:', '- a', 'a\\b', 'é ' * 60,
              'two\nlines', 'line\n', '\u200b', '\u2028', '\x7f', 'a\u00a0b', '😀'], [Raw('4'), Raw('true'), Raw('null'), ['a'], {'a': 'b'}, Raw('1.50'), Raw('2020-01-01'), Raw('0x10'), Raw('010'), Raw('1_0'), Raw('.inf')])
MODES = ['Node,RBAC', 'RBAC', 'Node,Bogus,RBAC', 'Bogus', 'Node, RBAC', 'RBAC,RBAC', '', 'AlwaysAllow', 'ABAC,Webhook', 'node', 'Node,RBAC,', 'AlwaysDeny']
BIND = ['0.0.0.0', '::', '10.0.0.5', '', '::1', '127.0.0.1', 'localhost', 'x y', 'fd00::5', '[::]']
ARGS = {
    'apiServer': {'authorization-mode': MODES, 'authorization-config': ['/etc/kubernetes/authz.yaml', ''], 'bind-address': BIND, 'secure-port': ['7443', '0', 'x', ''],
                  'etcd-servers': ['https://10.0.0.9:2379', ''], 'feature-gates': ['A=true', 'A=true,B=false', ''], 'enable-admission-plugins': ['NodeRestriction,PodSecurity', 'NodeRestriction', ''],
                  'advertise-address': ['10.1.1.1', ''], 'service-cluster-ip-range': ['10.99.0.0/16'], 'service-account-issuer': ['https://a', 'https://b'], 'v': ['4', '10'],
                  'audit-log-path': ['-', '/var/log/audit.log'], 'tls-cert-file': ['/x.crt'], 'insecure-port': ['8080', '0'], 'kubelet-preferred-address-types': ['Hostname'],
                  'etcd-cafile': ['/x', ''], 'anonymous-auth': ['false'], 'a': ['1'], 'zz': ['1'], 'service-account-signing-key-file': ['/k'], 'allow-privileged': ['false']},
    'controllerManager': {'bind-address': BIND, 'node-cidr-mask-size': ['24', '26', '25', '16', 'x', '', '33', '-1', '64', '20', ' 24'], 'node-cidr-mask-size-ipv4': ['24', '26', '28', 'x', '33', '16'],
                          'node-cidr-mask-size-ipv6': ['64', '80', '72', 'x', '129', '48', '120'], 'allocate-node-cidrs': ['false', 'true', 'False', '', 'x', 'f', '0'],
                          'cluster-cidr': ['10.200.0.0/16', ''], 'flex-volume-plugin-dir': ['/opt/flex', '', 'relative', '/opt/flex/'], 'controllers': ['*', '*,-ttl'], 'leader-elect': ['false'],
                          'feature-gates': ['X=true'], 'port': ['10252', '0'], 'secure-port': ['10258', '0', 'x'], 'cluster-name': ['other'], 'cluster-signing-key-file': ['/k', ''], 'v': ['2'], 'profiling': ['false'],
                          'root-ca-file': ['/x'], 'service-cluster-ip-range': ['10.98.0.0/16']},
    'scheduler': {'bind-address': BIND, 'config': ['/etc/kubernetes/scheduler-config.yaml'], 'leader-elect': ['false'], 'v': ['3'], 'port': ['10251'], 'secure-port': ['10260', '0'], 'kubeconfig': ['/x.conf'],
                  'profiling': ['false'], 'feature-gates': ['X=true']},
    'etcd': {'advertise-client-urls': ['https://10.2.2.2:2379', ''], 'listen-metrics-urls': ['https://[::1]:2385,http://x', 'http://:99999', 'garbage', 'http://0.0.0.0:2381', '', 'http://10.0.0.1', 'https://%zz',
                                                                                         'http://[fd00::1]', 'unix:///x', 'http://x:0', ' http://x:1', 'http://a:b', ':2381', 'HTTP://x:2382', 'http://*:2381', 'https://:2399'],
             'name': ['other', ''], 'data-dir': ['/data/etcd'], 'feature-gates': ['X=true', 'InitialCorruptCheck=false'], 'initial-cluster': ['a=https://10.0.0.1:2380'], 'initial-cluster-state': ['existing'],
             'quota-backend-bytes': ['8589934592'], 'experimental-initial-corrupt-check': ['false'], 'experimental-watch-progress-notify-interval': ['10s'], 'watch-progress-notify-interval': ['1s'],
             'snapshot-count': ['5000'], 'listen-client-urls': ['https://0.0.0.0:2379'], 'cipher-suites': ['A,B'], 'log-level': ['warn'], 'auto-compaction-retention': ['8']},
    'kubelet': {'v': ['3'], 'node-ip': ['10.0.0.7'], 'cgroup-driver': ['cgroupfs', 'x'], 'hostname-override': ['other'], 'node-labels': ['a=b']},
}
ENV_NAME = (['FOO', 'GOGC', 'HTTPS_PROXY', 'no_proxy', 'A', 'Z', 'FOO', 'GODEBUG', 'lower'], ['', '1A', 'a b', 'A=B', Raw('1')])
ENVIRONMENT = [('HTTP_PROXY', 'http://proxy.example.org:3128'), ('HTTPS_PROXY', 'http://u:p@proxy:1'), ('no_proxy', '*'), ('NO_PROXY', '10.0.0.0/8,.svc'), ('no_proxy', '300'), ('FOO_PROXY', 'x'),
               ('foo_proxy', 'true'), ('http_proxy', ''), ('Http_Proxy', 'http://p'), ('PROXY', 'x'), ('_PROXY', 'y'), ('ALL_PROXY', 'socks5://x y'), ('https_proxy', 'a=b'), ('X_Proxy', 'ä: #'),
               ('KUBEADM_INIT_DRYRUN_DIR', '/tmp'), ('UNRELATED', 'x')]
# Paths that decide about volumes, whole trees of which are left out now and then.
CA_DIRECTORIES = ['etc/ssl/certs', 'etc/ca-certificates', 'usr/share/ca-certificates', 'usr/local/share/ca-certificates', 'etc/pki', 'etc/pki/ca-trust', 'etc/pki/tls/certs']
TARGETS = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'etcd']
STRATEGIC = [
    {'metadata': {'labels': {'a2': 'x', 'a10': 'y', 'tier': 'z', 'B': 't'}}}, {'metadata': {'annotations': {'note': 'text with: colon', 'b/c': 'true', 'long': 'word ' * 30}}},
    {'metadata': {'name': 'renamed'}}, {'metadata': {'labels': None}}, {'metadata': {'annotations': {'a': 5}}}, {'metadata': {'labels': {'a': True}}}, {'metadata': {'unknown': 1}},
    {'metadata': {'finalizers': ['b', 'a'], 'ownerReferences': [{'apiVersion': 'v1', 'kind': 'Node', 'name': 'n', 'uid': 'u'}]}}, {'metadata': {'creationTimestamp': '2020-01-01T00:00:00Z'}},
    {'metadata': {'creationTimestamp': '2020-01-01T00:00:00+02:00'}}, {'metadata': {'creationTimestamp': 'never'}}, {'metadata': {'generateName': 'x-', 'namespace': None}},
    {'metadata': {'deletionGracePeriodSeconds': 5, 'generation': 3, 'managedFields': [{'manager': 'm', 'fieldsV1': {'f:a': {}}, 'time': '2020-01-01T00:00:00Z'}]}},
    {'spec': {'containers': [{'name': '@', 'resources': {'requests': {'cpu': '0.25', 'memory': '1024Mi'}, 'limits': {'cpu': 2, 'memory': '1.5Gi', 'ephemeral-storage': '1e3'}}}]}},
    {'spec': {'containers': [{'name': '@', 'resources': {'requests': {'cpu': 'lots'}}}]}}, {'spec': {'containers': [{'name': '@', 'resources': {'requests': {'cpu': None}}}]}},
    {'spec': {'containers': [{'name': '@', 'command': ['sleep', '1']}]}}, {'spec': {'containers': [{'name': '@', 'command': None}]}}, {'spec': {'containers': [{'name': '@', 'args': ['--x', Raw('1'), 'y']}]}},
    {'spec': {'containers': [{'name': 'side', 'image': 'busybox:1.36', 'args': ['sleep', '1e3']}]}}, {'spec': {'containers': [{'$patch': 'delete', 'name': '@'}]}}, {'spec': {'containers': [{'$patch': 'replace'}, {'name': 'only', 'image': 'i'}]}},
    {'spec': {'containers': [{'name': '@', 'volumeMounts': [{'name': 'zz', 'mountPath': '/zz'}, {'mountPath': '/etc/ssl/certs', 'readOnly': False, 'name': 'ca-certs'}]}], 'volumes': [{'name': 'zz', 'emptyDir': {}}]}},
    {'spec': {'volumes': [{'name': 'ca-certs', '$patch': 'delete'}]}}, {'spec': {'volumes': [{'name': 'k8s-certs', 'hostPath': {'path': '/other'}}, {'name': 'm', 'emptyDir': {'medium': 'Memory', 'sizeLimit': '1Gi'}}]}},
    {'spec': {'volumes': [{'name': 'etcd-data', 'hostPath': None, 'emptyDir': {}}]}}, {'spec': {'volumes': [{'name': 'etcd-data', '$retainKeys': ['name', 'emptyDir'], 'emptyDir': {}}]}},
    {'spec': {'volumes': [{'name': 's', 'secret': {'secretName': 's', 'defaultMode': 256, 'items': [{'key': 'k', 'path': 'p', 'mode': Raw('0400')}]}}, {'name': 'p', 'projected': {'sources': [{'configMap': {'name': 'c'}}]}}]}},
    {'spec': {'tolerations': [{'operator': 'Exists'}, {'key': 'a', 'tolerationSeconds': 5, 'effect': 'NoExecute'}]}}, {'spec': {'hostNetwork': False, 'dnsPolicy': 'Default', 'dnsConfig': {'options': [{'name': 'ndots', 'value': '2'}]}}},
    {'spec': {'hostAliases': [{'ip': '10.0.0.1', 'hostnames': ['a']}], 'nodeSelector': {'a': 'b'}, 'terminationGracePeriodSeconds': 30}}, {'spec': {'terminationGracePeriodSeconds': '30'}},
    {'spec': {'priority': 5, 'priorityClassName': None, 'securityContext': None}}, {'spec': {'securityContext': {'runAsUser': 0, 'seccompProfile': {'type': 'Localhost', 'localhostProfile': 'x'}, 'sysctls': [{'name': 'a', 'value': 'b'}]}}},
    {'spec': {'containers': [{'name': '@', 'env': [{'name': 'A', 'value': 'x'}, {'name': 'B', 'valueFrom': {'fieldRef': {'fieldPath': 'status.hostIP'}}}, {'name': 'A', 'value': 'y'}]}]}},
    {'spec': {'containers': [{'name': '@', 'env': [{'name': 'N', 'value': 5}]}]}}, {'spec': {'containers': [{'name': '@', 'livenessProbe': {'failureThreshold': 20, 'httpGet': {'port': 'named', 'host': None}}}]}},
    {'spec': {'containers': [{'name': '@', 'livenessProbe': {'httpGet': None, 'tcpSocket': {'port': 5}}, 'readinessProbe': {'exec': {'command': ['a']}}, 'startupProbe': {'$patch': 'replace', 'grpc': {'port': 1}}}]}},
    {'spec': {'containers': [{'name': '@', 'livenessProbe': {'periodSeconds': 2.5}}]}}, {'spec': {'containers': [{'name': '@', 'livenessProbe': {'periodSeconds': Raw('3.0'), 'terminationGracePeriodSeconds': 9223372036854775807}}]}},
    {'spec': {'containers': [{'name': '@', 'ports': [{'containerPort': 6443, 'hostPort': 6443, 'name': 'https'}, {'containerPort': 9, 'protocol': 'UDP'}]}]}},
    {'spec': {'containers': [{'name': '@', 'securityContext': {'capabilities': {'add': ['NET_ADMIN'], 'drop': ['ALL']}, 'privileged': True, 'readOnlyRootFilesystem': True}}]}},
    {'spec': {'containers': [{'name': '@', 'lifecycle': {'preStop': {'exec': {'command': ['sleep', '5']}}}, 'imagePullPolicy': 'Always', 'terminationMessagePolicy': 'File', 'stdin': True}]}},
    {'spec': {'initContainers': [{'name': 'i', 'image': 'x', 'restartPolicy': 'Always'}, {'name': 'h', 'image': 'y'}]}}, {'spec': {'containers': [{'name': '@', 'resizePolicy': [{'resourceName': 'cpu', 'restartPolicy': 'NotRequired'}]}]}},
    {'spec': {'topologySpreadConstraints': [{'maxSkew': 1, 'topologyKey': 'a', 'whenUnsatisfiable': 'DoNotSchedule', 'labelSelector': {'matchLabels': {'a': 'b'}}}], 'affinity': {'nodeAffinity': {
        'requiredDuringSchedulingIgnoredDuringExecution': {'nodeSelectorTerms': [{'matchExpressions': [{'key': 'k', 'operator': 'In', 'values': ['v']}]}]}}}}},
    {'spec': {'$setElementOrder/containers': [{'name': 'side'}, {'name': '@'}], 'containers': [{'name': 'side', 'image': 'i'}]}}, {'spec': {'$patch': 'replace', 'containers': []}}, {'$patch': 'delete'},
    {'spec': {'containers': None}}, {'spec': None}, {'spec': {'nosuch': {'a': 1}}}, {'spec': {'Containers': []}}, {'spec': {'containers': {}}}, {'spec': {'containers': [{'image': 'noname'}]}}, {'spec': 'x'}, {},
    {'apiVersion': 'v1', 'kind': 'Pod'}, {'apiVersion': 'v2'}, {'kind': 'Service'}, {'status': {'phase': 'Running', 'podIP': '10.0.0.1', 'startTime': '2020-01-01T00:00:00Z'}},
    {'spec': {'containers': [{'name': '@', '$deleteFromPrimitiveList/command': ['kube-scheduler']}]}}, {'spec': {'containers': [{'name': '@', '$patch': 'merge', 'image': 'x'}]}}, {'spec': {'containers': [{'name': '@', '$patch': 'bogus'}]}},
    {'spec': {'containers': [{'name': '@', 'envFrom': [{'configMapRef': {'name': 'c', 'optional': True}, 'prefix': 'P'}], 'volumeDevices': [{'name': 'v', 'devicePath': '/d'}], 'workingDir': ''}], 'overhead': {'cpu': '100m'}}},
    {'spec': {'imagePullSecrets': [{'name': 'b'}, {'name': 'a'}], 'serviceAccountName': 'x', 'hostPID': True, 'shareProcessNamespace': False, 'runtimeClassName': 'r', 'enableServiceLinks': False, 'activeDeadlineSeconds': 1}},
    {'spec': {'volumes': [{'name': 'pvc', 'persistentVolumeClaim': {'claimName': 'c', 'readOnly': True}}, {'name': 'd', 'downwardAPI': {'items': [{'path': 'p', 'resourceFieldRef': {'resource': 'limits.cpu', 'divisor': '1m'}}]}}]}},
    {'spec': {'volumes': [{'name': 'e', 'ephemeral': {'volumeClaimTemplate': {'spec': {'accessModes': ['ReadWriteOnce'], 'resources': {'requests': {'storage': '0.5Gi'}}}}}}]}},
]
_POD_OF = lambda container: {'spec': {'template': {'spec': {'containers': [container]}}}}  # noqa: E731
OTHER_PATCHES = {
    'kubeletconfiguration': [{'maxPods': 200}, {'maxPods': '200'}, {'clusterDNS': ['10.0.0.1']}, {'authentication': {'anonymous': {'enabled': True}}}, {'evictionHard': {'memory.available': '5%'}}, {'nosuch': 1}, {'clusterDNS': None},
                             {'apiVersion': 'v1'}, {'kind': 'X'}, {'featureGates': {'A': True, 'B': 'x'}}, {'cgroupDriver': 'cgroupfs', 'staticPodPath': ''}, {'syncFrequency': '90s'}, {'registerWithTaints': [{'key': 'k', 'effect': 'NoSchedule'}]},
                             {'authentication': {'$patch': 'replace', 'webhook': {'enabled': False}}}, {'logging': {'flushFrequency': '1s'}}, {'containerRuntimeEndpoint': 'unix:///x'}, {'memoryThrottlingFactor': 0.8}, {'shutdownGracePeriod': '30s'}, {}],
    'corednsdeployment': [{'spec': {'replicas': 1}}, {'spec': {'replicas': 'x'}}, _POD_OF({'name': 'coredns', 'resources': {'limits': {'memory': '0.5Gi'}}}), _POD_OF({'name': 'coredns', 'args': ['-x']}), _POD_OF({'name': 'side', 'image': 'i'}),
                          _POD_OF({'name': 'coredns', 'env': [{'name': 'A', 'value': '1'}], 'nosuch': 1}), {'metadata': {'labels': {'a': 'b', 'k8s-app': None}}}, {'spec': {'template': {'spec': {'tolerations': [{'operator': 'Exists'}], 'nodeSelector': None}}}},
                          {'spec': {'strategy': {'$retainKeys': ['type'], 'type': 'Recreate'}}}, {'spec': None}, {'kind': 'DaemonSet'}, {'spec': {'template': {'spec': {'affinity': {'$patch': 'delete'}}}}}, _POD_OF({'name': 'coredns', '$patch': 'delete'}), {'status': {'replicas': 1}},
                          {'spec': {'template': {'spec': {'volumes': [{'name': 'config-volume', 'configMap': {'name': 'other'}}, {'name': 'v', 'emptyDir': {}}]}}}}, {'nosuch': {'a': [1, 2.5, True, None, 'x']}}],
    'kubeproxydaemonset': [_POD_OF({'name': 'kube-proxy', 'resources': {'requests': {'cpu': 0.1}}}), _POD_OF({'name': 'kube-proxy', 'env': [{'name': 'A', 'value': 'x'}, {'name': 'NODE_NAME', 'value': 'n'}]}), _POD_OF({'name': 'kube-proxy', 'command': None}),
                           {'spec': {'updateStrategy': {'rollingUpdate': {'maxUnavailable': '10%'}}}}, {'spec': {'template': {'metadata': {'annotations': {'a': 'b: c'}}}}}, {'spec': {'template': {'spec': {'hostNetwork': False, 'tolerations': None}}}}, {'metadata': {'name': 'x'}}, {}],
}
OTHER_OPERATIONS = [
    {'op': 'add', 'path': '/metadata', 'value': {'name': 'x'}}, {'op': 'replace', 'path': '/spec/replicas', 'value': 3}, {'op': 'remove', 'path': '/spec/template/spec/containers/0/args'}, {'op': 'add', 'path': '/spec/template/spec/hostPID', 'value': True},
    {'op': 'test', 'path': '/kind', 'value': 'Deployment'}, {'op': 'remove', 'path': '/clusterDomain'}, {'op': 'replace', 'path': '/maxPods', 'value': 5}, {'op': 'add', 'path': '/maxPods', 'value': 250}, {'op': 'add', 'path': '/clusterDNS/-', 'value': '10.0.0.2'},
    {'op': 'add', 'path': '/spec/template/spec/containers/0/env', 'value': []}, {'op': 'copy', 'from': '/kind', 'path': '/x'}, {'op': 'add', 'path': '', 'value': {}}, {'op': 'move', 'from': '/nosuch', 'path': '/x'},
]
QUANTITIES = ['0.25', '1024Mi', '1.5Gi', '1e3', '100m', '0.0001', '1000000', '1Ki', '0', '-5', '1E', '12E', '0.5Mi', '1.1', '1000k', '123456789123456789', '5n', '1u', '0.1Ki', '+3', '.5', '1.', '', '1 Gi', '1GB', '1024', '2048Ki', '1e-3', '1E3', '1000Mi', '9223372036854775808', '1.0000000001']
JSON_OPERATIONS = [
    {'op': 'add', 'path': '/spec/containers/0/command/-', 'value': '--added=1'}, {'op': 'add', 'path': '/spec/containers/0/command/1', 'value': '--first'}, {'op': 'remove', 'path': '/spec/containers/0/command/1'},
    {'op': 'replace', 'path': '/metadata/name', 'value': 'x'}, {'op': 'replace', 'path': '/metadata/nosuch', 'value': 'x'}, {'op': 'test', 'path': '/kind', 'value': 'Pod'}, {'op': 'test', 'path': '/kind', 'value': 'X'},
    {'op': 'remove', 'path': '/spec/nosuch'}, {'op': 'move', 'from': '/spec/hostNetwork', 'path': '/spec/hostPID'}, {'op': 'copy', 'from': '/spec/containers/0', 'path': '/spec/containers/-'}, {'op': 'add', 'path': '/metadata/labels/a~1b', 'value': 'c'},
    {'op': 'add', 'path': '/metadata/annotations', 'value': {'a~b': 'x', 'z': 'true'}}, {'op': 'add', 'path': '/spec/containers/5', 'value': {}}, {'op': 'add', 'path': '/spec/containers/-1', 'value': {'name': 'x'}}, {'op': 'replace', 'path': '/spec/containers/0/image', 'value': 5},
    {'op': 'remove', 'path': '/spec/containers/0/livenessProbe'}, {'op': 'bogus', 'path': '/x'}, {'op': 'add', 'path': 'spec', 'value': 1}, {'op': 'add', 'path': '', 'value': {'kind': 'Pod', 'apiVersion': 'v1'}}, {'op': 'replace', 'path': '/spec/containers/0/livenessProbe/httpGet/port', 'value': 'p'},
    {'op': 'add', 'path': '/spec/x', 'value': 1}, {'op': 'add', 'path': '/spec/tolerations', 'value': [{'operator': 'Exists'}]}, {'path': '/x'}, {'op': 'test', 'path': '/nosuch', 'value': None}, {'op': 'test', 'path': '/spec/nosuch/a', 'value': 1},
    {'op': 'add', 'path': '/spec/containers/01', 'value': {}}, {'op': 'replace', 'path': '/spec/volumes/0/hostPath/type', 'value': ''}, {'op': 'remove', 'path': '/spec/volumes/-'}, {'op': 'add', 'path': '/spec/nosuch/a', 'value': 1}, {'op': 'remove', 'path': '/status'},
]
PATCH_TEXT = ['', '# only a comment\n', '---\n---\n', 'null\n', '[]\n', 'x\n', '5\n', '{\n', '\tx: 1\n', 'a: 1\na: 2\n', 'metadata: &x {labels: {q: r}}\n', '\ufeffmetadata: {labels: {q: r}}\n', 'metadata:\r\n  labels: {q: r}\r\n',
              '--- \nmetadata: {labels: {q: r}}\n', '---\n\n---\nmetadata: {labels: {q: r}}\n', 'metadata: {labels: {q: r}}\n...\n', '{"metadata": {"labels": {"q": "r"}}}', "metadata: {labels: {q: 'r\n\n  s'}}\n",
              'metadata: {labels: {q: !!str 5, 7: x, true: y, 1.5: z}}\n', 'metadata: {annotations: {q: |\n  a\n  b\n}}\n', 'metadata:\n  annotations:\n    q: |\n      a\n      b\n    z: >-\n      c\n      d\n    t: "tab\\there"\n',
              'metadata: {annotations: {d: 2020-01-01, e: "", f: "null", g: "1e3", h: "0o7", i: "=", j: "<<", k: "0b1", l: "1:30", m: "+1", n: ".5", o: "-"}}\n']
PATCH_NAMES = ['{t}.yaml', '{t}.json', '{t}+strategic.yaml', '{t}+merge.yaml', '{t}+json.json', '{t}+json.yaml', '{t}0+merge.yaml', '{t}zz.yaml', '{t}1+strategic.json', 'sub/{t}.yaml', 'a/{t}2+merge.json', '{t}.yml',
               '{t}+bad.yaml', '{t}+.yaml', '{t}+jsonx.json', '{t}+merge.v2.yaml', '{t}.merge.yaml', 'x{t}.yaml', '{t}', 'README.md', '{t}-10.yaml', '{t}-9.yaml', 'kubeletconfiguration.yaml', 'corednsdeployment.yaml', 'kubeproxydaemonset.yaml',
               '.{t}.yaml', '{t}.YAML', '{t} x.yaml', '{t}+strategic+merge.yaml']
KUBELET = {
    'cgroupDriver': ['systemd', 'cgroupfs', 5], 'clusterDNS': [['10.96.0.10'], ['10.0.0.1', 'x'], 'x'], 'clusterDomain': ['cluster.local', 'other'], 'staticPodPath': ['/etc/kubernetes/manifests', '/other'], 'maxPods': [110, '110', 1.5],
    'rotateCertificates': [True, False, 'yes'], 'authentication': [{'anonymous': {'enabled': True}}, {'x509': {'clientCAFile': '/x'}}, {'webhook': {'enabled': 'x'}}], 'healthzPort': [10248, 0, 99999], 'featureGates': [{'A': True}, {'A': 'x'}, []],
    'syncFrequency': ['1m0s', '5', 60], 'evictionHard': [{'memory.available': '100Mi'}, {'a': 5}], 'failSwapOn': [False], 'nosuch': [1], 'serverTLSBootstrap': [True], 'readOnlyPort': [10255, -1], 'resolvConf': ['/x'], 'logging': [{'format': 'json'}, {'verbosity': 3}],
    'authorization': [{'mode': 'AlwaysAllow'}, {'webhook': {'cacheAuthorizedTTL': 'x'}}], 'containerLogMaxSize': ['10Mi', 5], 'systemReserved': [{'cpu': '100m'}], 'cpuManagerPolicy': ['static'], 'memorySwap': [{'swapBehavior': 'LimitedSwap'}], 'Address': ['0.0.0.0'],
}
KUBE_PROXY = {
    'mode': ['ipvs', 'iptables', 'nftables', '', 'bogus', 5], 'clusterCIDR': ['10.244.0.0/16', '10.0.0.0/8', 'x'], 'bindAddress': ['0.0.0.0', '::', 'x'], 'featureGates': [{'SupportIPVSProxyMode': True}, {'A': 'x'}], 'ipvs': [{'scheduler': 'rr'}, {'syncPeriod': 'x'}, {'strictARP': True}],
    'iptables': [{'masqueradeAll': True}, {'masqueradeBit': 14}, {'masqueradeBit': 'x'}, {'syncPeriod': '30s'}], 'conntrack': [{'maxPerCore': 0}, {'min': 'x'}, {'tcpEstablishedTimeout': '1h'}], 'nosuch': [1], 'clientConnection': [{'kubeconfig': '/x'}, {'qps': 5}, {'burst': 'x'}],
    'hostnameOverride': ['h'], 'nodePortAddresses': [['10.0.0.0/8'], 'x'], 'metricsBindAddress': ['0.0.0.0:10249'], 'portRange': ['1-2'], 'detectLocalMode': ['ClusterCIDR', 'x'], 'enableProfiling': [True, 'x'], 'oomScoreAdj': [-999, 'x'], 'winkernel': [{'networkName': 'n'}],
    'nftables': [{'minSyncPeriod': '1s'}], 'showHiddenMetricsForVersion': ['1.20'], 'configSyncPeriod': ['15m', 5], 'Mode': ['x'], 'logging': [{'format': 'text'}], 'healthzBindAddress': ['0.0.0.0:10256', ''],
}
KUBERNETES_VERSION_BAD = ['v1', '1.x', 'latest', 'v1.18.0', 'v1.99.0', 'v{m}.0+abc', 'v{m}.0-rc.1', 'v{m}.0-alpha.1.5+abcdef', 'v{m}', '', '1', 'v{m}.0 ', 'v0{m}.0', 'v{m}.00', '{m}.5.1', 'v{m}.0-0', 'v{m}.999', 'v1.2.3', Raw('1.3'), 5, 'ci/v{m}.0', 'V{m}.0', 'stable-{m}', 'release/v{m}.0']
FLAG_BAD = {'apiserver-extra-args': ['a=b=c', 'a', '=', 'a=', '=b', 'a=1,a=2', '', 'a=b,,c=d', 'a="b,c"', ' a=b'], 'feature-gates': ['X=true', 'X', 'X=', 'PublicKeysECDSA=maybe', '=true', 'a=b=c', '', ',', 'PublicKeysECDSA', 'PublicKeysECDSA=true ', ' PublicKeysECDSA=true']}

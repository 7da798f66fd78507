# SPDX-License-Identifier: Apache-2.0
"""Random cases for a kubeadm of a given minor version. The same seed and number give the same case."""
import copy
import random

from . import pools, reset_cases, system_users
from .case import CONFIG, MANGLES, Case
from .node_documents import NodeDocuments, since
from .yaml_text import Raw

APIS = [('v1beta1', 0, 21), ('v1beta2', 0, 26), ('v1beta3', 22, 36), ('v1beta4', 31, 99)]
LISTS = 'v1beta4'  # the first version whose extraArgs are lists
EXPERIMENTAL = [('v1beta4', 28, 30), ('v1', 37, 99)]  # read with --allow-experimental-api alone

# What is asked for, and how often. Certificates with keys of RSA take a second each, so they are rare.
VERBS = [(22, ['control-plane', 'all']), (6, ['control-plane', 'apiserver']), (6, ['control-plane', 'controller-manager']), (3, ['control-plane', 'scheduler']), (14, ['etcd', 'local']),
         (2, ['certs', 'all']), (1, ['certs', 'ca']), (1, ['certs', 'apiserver']), (1, ['certs', 'etcd-server']), (1, ['certs', 'sa']), (1, ['certs', 'apiserver-kubelet-client']),
         (2, ['kubeconfig', 'all']), (1, ['kubeconfig', 'admin']), (1, ['kubeconfig', 'kubelet']), (1, ['kubeconfig', 'scheduler']), (1, ['kubeconfig', 'user']), (4, ['config', 'images', 'list']),
         (8, ['config', 'validate']), (7, ['config', 'migrate']), (1, ['config', 'print', 'init-defaults']), (1, ['config', 'print', 'join-defaults']), (1, ['config', 'print', 'reset-defaults']),
         (1, ['config', 'print', 'upgrade-defaults']), (7, ['kubelet-start']), (3, ['addon', 'coredns', '--print-manifest']), (4, ['addon', 'kube-proxy', '--print-manifest']),
         (1, ['certs', 'check-expiration']), (1, ['certs', 'renew', 'all']), (1, ['certs', 'renew', 'apiserver']), (1, ['certs', 'renew', 'admin.conf']), (1, ['certs', 'generate-csr']), *reset_cases.VERBS]
# Those that find what another phase made.
NEED_FILES = (['certs', 'check-expiration'], ['certs', 'renew'], ['kubeconfig', 'user'])
# Those that read the configuration of a cluster, which is not there, unless there is a file.
NEED_CONFIG = NEED_FILES + (['config', 'validate'], ['config', 'migrate'], ['certs', 'generate-csr'])
NO_CONFIG = ['config', 'print']


class Generator:
    def __init__(self, minor, flags, gates, stock):
        """flags: verb to the names of its options; gates: names of kubeadm's gates; stock: files of a node set up before."""
        self.minor, self.flags, self.gates, self.stock = minor, flags, gates, stock
        self.experimental = [name for name, first, last in EXPERIMENTAL if first <= minor <= last]
        self.apis = [name for name, first, last in APIS if first <= minor <= last]
        self.verbs = [(weight, verb) for weight, verb in VERBS if ' '.join(verb) in flags]

    def case(self, seed, number):
        return _Draw(self, random.Random(f'{seed}/{number}')).case()


class _Draw(NodeDocuments, reset_cases.ResetCases, system_users.SystemUsers):
    def __init__(self, generator, rng):
        self.g, self.r = generator, rng
        self.bad = rng.choices([0.0, 0.04, 0.3], [65, 28, 7])[0]  # how probable a bad value is
        self.fill = rng.choice([0.03, 0.1, 0.25, 0.5])            # how probable it is that a field is there
        self.config_file = ''

    def chance(self, probability):
        return self.r.random() < probability

    def pick(self, pool):
        return copy.deepcopy(self.r.choice(pool[1] if self.chance(self.bad) else pool[0]))

    def put(self, tree, key, make, factor=1.0):
        if self.chance(self.fill * factor):
            tree[key] = make() if callable(make) else self.pick(make)

    # configuration documents

    def has(self, api, minor):
        """Whether an API version has what v1beta4 has since kubeadm 1.`minor`; now and then what it has not is there too."""
        return since(api, LISTS) and (self.g.minor >= minor or self.chance(self.bad / 2))

    def args(self, component, api):
        pairs = []
        table = pools.ARGS[component]
        for _ in range(self.r.choice([1, 1, 2, 3, 5])):
            name = self.r.choice(list(table))
            value = self.r.choice(table[name]) if self.chance(0.8) else self.pick(pools.ARG_VALUE)
            if self.chance(self.bad):
                name = self.r.choice(['', 'No Such', '--v', 'ä', 'a=b'])
            pairs.append((name, copy.deepcopy(value)))
        if self.has(api, 29) != self.chance(self.bad / 3):
            return [{'name': n, 'value': v, **self.merge_method(api)} for n, v in pairs]
        return dict(pairs)

    def merge_method(self, api):
        return {'mergeMethod': self.pick((['append', 'prepend', ''], ['replace', 5, Raw('null')]))} if api == 'v1' and self.g.minor >= 37 and self.chance(0.3) else {}

    def envs(self):
        made = [{'name': self.pick(pools.ENV_NAME), 'value': self.pick(pools.ARG_VALUE)} for _ in range(self.r.choice([1, 2, 4]))]
        if self.chance(0.15):
            made.append({'name': 'REF', 'valueFrom': {'fieldRef': {'fieldPath': 'status.podIP'}}})
        if self.chance(0.1):
            made.append({'name': 'REF2', 'valueFrom': {'secretKeyRef': {'name': 's', 'key': 'k', 'optional': True}}})
        if self.chance(0.05):
            made.append({'name': 'NOVALUE'})
        return made

    def volumes(self):
        made = []
        for _ in range(self.r.choice([1, 1, 2, 3])):
            volume = {'name': self.pick(pools.VOLUME_NAME), 'hostPath': self.pick(pools.HOST_PATH), 'mountPath': self.pick(pools.HOST_PATH)}
            if self.chance(0.5):
                volume['readOnly'] = self.pick(pools.BOOLEAN)
            if self.chance(0.5):
                volume['pathType'] = self.pick(pools.PATH_TYPE)
            made.append(volume)
        return made

    def component(self, name, api):
        made = {}
        self.put(made, 'extraArgs', lambda: self.args(name, api), 2)
        self.put(made, 'extraVolumes', self.volumes)
        if since(api, LISTS) or self.chance(self.bad):
            self.put(made, 'extraEnvs', self.envs)
        if name == 'apiServer':
            self.put(made, 'certSANs', lambda: self.some(pools.ALT_NAMES))
            if not since(api, LISTS) or self.g.minor < 30 or self.chance(self.bad):
                self.put(made, 'timeoutForControlPlane', pools.DURATION)
        return made

    def some(self, pool):
        return [self.pick(pool) for _ in range(self.r.choice([0, 1, 1, 2, 3]))]

    def etcd(self, api):
        made = {}
        if not self.chance(0.35):
            local = made['local'] = {}
            self.put(local, 'dataDir', (['/var/lib/etcd', '/var/lib/etcd/', '/data/etcd', '/srv//x', '/var/../x'], ['relative', '', '.', 5]))
            self.put(local, 'imageRepository', pools.IMAGE_REPOSITORY)
            self.put(local, 'imageTag', pools.IMAGE_TAG)
            self.put(local, 'extraArgs', lambda: self.args('etcd', api), 2)
            self.put(local, 'serverCertSANs', lambda: self.some(pools.ALT_NAMES))
            self.put(local, 'peerCertSANs', lambda: self.some(pools.ALT_NAMES))
            if since(api, LISTS):
                self.put(local, 'extraEnvs', self.envs)
        if not made or self.chance(self.bad):
            external = made['external'] = {'endpoints': [self.pick(pools.ETCD_ENDPOINT) for _ in range(self.r.choice([1, 1, 2, 3]))]}
            for key in ('caFile', 'certFile', 'keyFile'):
                if not self.chance(max(self.bad, 0.02)):
                    external[key] = self.pick(pools.PATH)
            if self.g.minor >= 35 and self.chance(0.2):
                external['httpEndpoints'] = [self.pick(pools.ETCD_ENDPOINT)]
        return made

    def feature_gates(self):
        names = self.g.gates or ['None']
        made = {self.r.choice(names): self.pick(pools.BOOLEAN) for _ in range(self.r.choice([1, 1, 2]))}
        if self.chance(self.bad):
            made[self.r.choice(['NoSuchGate', 'IPv6DualStack', 'PublicKeysECDSA', ''])] = True
        return made

    def version(self):
        minor = self.g.minor - (1 if self.chance(0.25) else 0)
        if self.chance(self.bad):
            value = self.r.choice(pools.KUBERNETES_VERSION_BAD)
            return type(value)(value.replace('{m}', f'1.{minor}')) if isinstance(value, str) else value
        return f"{self.r.choice(['v', 'v', ''])}1.{minor}.{self.r.choice([0, 1, 3, 5, 9])}"

    def networking(self):
        made = {}
        self.put(made, 'dnsDomain', pools.DNS_DOMAIN)
        self.put(made, 'serviceSubnet', pools.SERVICE_SUBNET)
        self.put(made, 'podSubnet', pools.POD_SUBNET, 1.5)
        return made

    def cluster(self, api):
        made = {'apiVersion': f'kubeadm.k8s.io/{api}', 'kind': 'ClusterConfiguration'}
        if not self.chance(0.01):
            made['kubernetesVersion'] = self.version()
        self.put(made, 'clusterName', pools.CLUSTER_NAME)
        self.put(made, 'controlPlaneEndpoint', pools.ENDPOINT)
        self.put(made, 'certificatesDir', pools.DIRECTORY)
        self.put(made, 'imageRepository', pools.IMAGE_REPOSITORY)
        self.put(made, 'networking', self.networking, 2)
        self.put(made, 'etcd', lambda: self.etcd(api), 2)
        for name in ('apiServer', 'controllerManager', 'scheduler'):
            self.put(made, name, lambda name=name: self.component(name, api), 2)
        self.put(made, 'featureGates', self.feature_gates, 0.7)
        self.put(made, 'dns', lambda: self.dns(api), 0.7)
        if self.has(api, 29) or self.chance(self.bad / 2):
            self.put(made, 'encryptionAlgorithm', pools.ALGORITHM if self.g.minor >= 30 else pools.ALGORITHM_WITHOUT_SIZE)
            self.put(made, 'proxy', lambda: {'disabled': self.pick(pools.BOOLEAN)}, 0.3)
        if self.has(api, 31) or self.chance(self.bad / 2):
            self.put(made, 'certificateValidityPeriod', pools.VALIDITY, 0.5)
            self.put(made, 'caCertificateValidityPeriod', pools.VALIDITY, 0.5)
        if api == 'v1beta2':
            self.put(made, 'useHyperKubeImage', pools.BOOLEAN, 0.4)
        return self.spoil(made)

    def dns(self, api):
        made = {}
        self.put(made, 'imageRepository', pools.IMAGE_REPOSITORY)
        self.put(made, 'imageTag', pools.IMAGE_TAG)
        if not since(api, 'v1beta3'):
            self.put(made, 'type', (['CoreDNS', 'CoreDNS'], ['kube-dns', 'x', '']))
        elif self.has(api, 29):
            self.put(made, 'disabled', pools.BOOLEAN)
        return made

    def token(self):
        made = {'token': self.pick(pools.TOKEN)}
        self.put(made, 'ttl', pools.DURATION)
        self.put(made, 'expires', (['2030-01-01T00:00:00Z'], ['never', 5]), 0.3)
        self.put(made, 'description', (['text', 'a: b'], [5]))
        self.put(made, 'usages', ([['signing'], ['authentication'], ['signing', 'authentication']], [['x'], 'signing', ['signing', '']]))
        self.put(made, 'groups', ([['system:bootstrappers:x'], []], [['x'], ['system:bootstrappers:'], ['system:bootstrappers:X y']]))
        return made

    def timeouts(self):
        names = ['controlPlaneComponentHealthCheck', 'kubeletHealthCheck', 'kubernetesAPICall', 'etcdAPICall', 'tlsBootstrap', 'discovery', 'upgradeManifests']
        made = {'controlPlaneComponentHealthCheck': self.pick(pools.DURATION)} if self.chance(0.7) else {}
        if self.chance(0.4):
            made[self.r.choice(names)] = self.pick(pools.DURATION)
        return made

    def registration(self, api):
        made = {'name': self.pick(pools.NODE_NAME), 'criSocket': self.pick(pools.CRI_SOCKET)}
        self.put(made, 'taints', pools.TAINTS)
        self.put(made, 'kubeletExtraArgs', lambda: self.args('kubelet', api))
        self.put(made, 'ignorePreflightErrors', pools.IGNORE)
        if since(api, 'v1beta3'):
            self.put(made, 'imagePullPolicy', pools.PULL_POLICY)
        if self.has(api, 30):
            self.put(made, 'imagePullSerial', pools.BOOLEAN)
        return made

    def init(self, api):
        made = {'apiVersion': f'kubeadm.k8s.io/{api}', 'kind': 'InitConfiguration', 'nodeRegistration': self.registration(api)}
        made['localAPIEndpoint'] = {'advertiseAddress': self.pick(pools.ADDRESS)}
        if self.chance(0.3):
            made['localAPIEndpoint']['bindPort'] = self.pick(pools.PORT)
        self.put(made, 'bootstrapTokens', lambda: [self.token() for _ in range(self.r.choice([0, 1, 2]))], 0.5)
        self.put(made, 'certificateKey', pools.CERTIFICATE_KEY, 0.5)
        if since(api, 'v1beta3'):
            self.put(made, 'skipPhases', pools.SKIP, 0.5)
        if self.has(api, 30):
            self.put(made, 'timeouts', self.timeouts)
        if self.has(api, 29):
            self.put(made, 'dryRun', ([False], ['no', 0]), 0.1)  # kubeadm's dry run of one phase writes elsewhere, ours prints
        return self.spoil(made)

    def spoil(self, made):
        """An unknown field, a known one in the wrong case, or one that is null, somewhere."""
        if not self.chance(max(self.bad, 0.02)):
            return made
        places = [made]
        for place in places:
            places += [v for v in place.values() if isinstance(v, dict)]
        place = self.r.choice(places)
        kind = self.r.choice(['unknown', 'case', 'null', 'scalar', 'list', 'rename'])
        keys = [k for k in place if k not in ('apiVersion', 'kind')]
        if kind == 'unknown' or not keys:
            place[self.r.choice(['noSuchField', 'extraargs', 'x', 'useHyperKubeImage', 'ApiServer'])] = self.r.choice([1, {}, 'x', [1], None])
            return made
        key = self.r.choice(keys)
        if kind in ('case', 'rename'):
            place[key[:1].upper() + key[1:] if kind == 'case' else key + 's'] = place.pop(key)
        else:
            place[key] = {'null': None, 'scalar': 'text', 'list': ['x']}[kind]
        return made

    def foreign(self, kind, group, table):
        made = {'apiVersion': f'{group}/v1alpha1' if kind == 'KubeProxyConfiguration' else f'{group}/v1beta1', 'kind': kind}
        for key in self.r.sample(list(table), self.r.choice([0, 1, 2, 4])):
            made[key] = copy.deepcopy(self.r.choice(table[key]) if self.chance(max(self.bad, 0.1)) else table[key][0])
            if key[0].isupper() or key == 'nosuch':
                if not self.chance(max(self.bad, 0.05)):
                    del made[key]
        return made

    def docs(self, experimental):
        api = self.r.choice(experimental) if experimental else self.r.choice(self.g.apis) if self.chance(0.9) else self.r.choice(['v1beta1', 'v1beta2', 'v1beta3', 'v1beta4', 'v1alpha3', 'v1', 'v2'] if self.chance(self.bad * 3) else self.g.apis)
        docs = [self.init(api), self.cluster(self.r.choice(self.g.apis) if experimental and self.chance(0.15) else api)]
        if self.chance(0.1):
            docs.pop(self.r.randrange(2))
        if self.chance(0.12):
            docs.append(self.foreign('KubeletConfiguration', 'kubelet.config.k8s.io', pools.KUBELET))
        if self.chance(0.12):
            docs.append(self.foreign('KubeProxyConfiguration', 'kubeproxy.config.k8s.io', pools.KUBE_PROXY))
        for tree in docs:
            self.fold(tree)
        if self.chance(max(self.bad / 3, 0.01)):
            docs.append(self.r.choice([
                {'apiVersion': 'v1', 'kind': 'Pod'}, {'apiVersion': f'kubeadm.k8s.io/{api}', 'kind': 'JoinConfiguration'}, {'apiVersion': f'kubeadm.k8s.io/{api}', 'kind': 'Bogus'}, {'kind': 'ClusterConfiguration'},
                {'apiVersion': f'kubeadm.k8s.io/{api}'}, copy.deepcopy(docs[0]), 'just text', '[1]', '# nothing', '{', 'a: b: c', '- x', 'a: *b', '"unclosed', {'apiVersion': 'kubeadm.k8s.io', 'kind': 'ClusterConfiguration'},
                {'apiVersion': f'kubeadm.k8s.io/{api}', 'kind': 'ResetConfiguration'}, {'apiVersion': f'kubeadm.k8s.io/{api}', 'kind': 'ClusterStatus'}, {'apiVersion': 'kubelet.config.k8s.io/v1', 'kind': 'KubeletConfiguration'},
                {'apiVersion': 'kubelet.config.k8s.io/v1beta1', 'kind': 'SerializedNodeConfigSource'}, {'apiVersion': 'kubeproxy.config.k8s.io/v1alpha1', 'kind': 'Bogus'},
                {'apiVersion': 'a/b/c', 'kind': 'ClusterConfiguration'}, {'apiVersion': 1, 'kind': 'X'}, {'apiVersion': f'Kubeadm.k8s.io/{api}', 'kind': 'InitConfiguration'}]))
        if self.chance(0.3):
            self.r.shuffle(docs)
        return docs

    def fold(self, tree):
        """apiVersion or kind in another case of letters, which Go's JSON takes; a list with nothing in an item."""
        if self.chance(max(self.bad / 20, 0.002)):
            key = self.r.choice(['apiVersion', 'kind'])
            if key in tree:
                tree[self.r.choice([key.upper(), key[:1].upper() + key[1:]])] = tree.pop(key)
        lists = [v for part in tree.values() if isinstance(part, dict) for v in part.values() if isinstance(v, list)]
        if lists and self.chance(max(self.bad / 10, 0.005)):
            self.r.choice(lists).append(None)

    # command line and surroundings

    def flag_value(self, name):
        table = {'apiserver-advertise-address': pools.ADDRESS, 'apiserver-bind-port': pools.PORT, 'cert-dir': pools.DIRECTORY, 'control-plane-endpoint': pools.ENDPOINT, 'image-repository': pools.IMAGE_REPOSITORY,
                 'pod-network-cidr': pools.POD_SUBNET, 'service-cidr': pools.SERVICE_SUBNET, 'service-dns-domain': pools.DNS_DOMAIN, 'node-name': pools.NODE_NAME, 'apiserver-cert-extra-sans': pools.ALT_NAMES,
                 'output': (['text', 'json', 'yaml'], ['xml', '']), 'cri-socket': pools.CRI_SOCKET,
                 'component-configs': (['KubeletConfiguration', 'KubeProxyConfiguration', 'KubeProxyConfiguration,KubeletConfiguration'], ['x', '', 'kubeletconfiguration'])}
        if name == 'kubernetes-version':
            return str(self.version())
        if name == 'feature-gates':
            gates = self.g.gates or ['None']
            return self.r.choice(pools.FLAG_BAD[name]) if self.chance(self.bad * 2) else ','.join(f"{g}={self.r.choice(['true', 'false'])}" for g in self.r.sample(gates, min(len(gates), self.r.choice([1, 2]))))
        if name.endswith('-extra-args'):
            component = {'apiserver': 'apiServer', 'controller-manager': 'controllerManager', 'scheduler': 'scheduler'}[name.removesuffix('-extra-args')]
            if self.chance(self.bad * 2):
                return self.r.choice(pools.FLAG_BAD['apiserver-extra-args'])
            table = pools.ARGS[component]
            return ','.join(f'{n}={self.r.choice(table[n])}' for n in self.r.sample(list(table), self.r.choice([1, 2, 3])))
        return str(self.pick(table[name])) if name in table else None

    def options(self, verb):
        made = []
        names = [n for n in self.g.flags[' '.join(verb)] if n not in ('config', 'help', 'patches', 'experimental-patches', 'rootfs', 'dry-run', 'kubeconfig-dir', 'csr-dir', 'csr-only')]
        for name in self.r.sample(names, min(len(names), self.r.choice([1, 2, 3, 6]))):
            value = self.flag_value(name)
            if value is not None:
                made.append([f'--{name}={value}'] if self.chance(0.7) or value.startswith('-') else [f'--{name}', value])
        if self.chance(self.bad):
            made.append(self.r.choice([['--no-such-flag'], ['--apiserver-bind-port'], ['-x'], ['--apiserver-bind-port=x']]))
        return made

    def patch_document(self, target):
        if target in pools.OTHER_PATCHES and not self.chance(0.05):
            return copy.deepcopy(self.r.choice(pools.OTHER_PATCHES[target]))
        tree = copy.deepcopy(self.r.choice(pools.STRATEGIC))

        def fill(value):
            if isinstance(value, dict):
                return {k: fill(v) for k, v in value.items()}
            if isinstance(value, list):
                return [fill(v) for v in value]
            return target if value == '@' else value
        tree = fill(tree)
        if self.chance(0.08):
            tree = {'spec': {'containers': [{'name': target, 'resources': {self.r.choice(['limits', 'requests']): {n: self.r.choice(pools.QUANTITIES) for n in self.r.sample(['cpu', 'memory', 'x/y'], 2)}}}]}}
        return tree

    def patches(self, verb):
        files = {}
        own = {'kubelet-start': 'kubeletconfiguration', 'coredns': 'corednsdeployment', 'kube-proxy': 'kubeproxydaemonset'}.get(verb[1] if verb[0] == 'addon' else verb[0])
        for _ in range(self.r.choice([1, 1, 2, 4])):
            target = own if own and self.chance(0.8) else self.r.choice(pools.TARGETS)
            sane = not self.chance(0.3)
            name = (self.r.choice(pools.PATCH_NAMES[:12]) if sane else self.r.choice(pools.PATCH_NAMES)).replace('{t}', target)
            if self.chance(0.12):
                parts = [self.r.choice(pools.PATCH_TEXT)]
            elif ('+json' in name) != self.chance(0.05):
                parts = [[copy.deepcopy(self.r.choice(pools.OTHER_OPERATIONS if own else pools.JSON_OPERATIONS)) for _ in range(self.r.choice([1, 1, 2, 3]))]]
            else:
                parts = [self.patch_document(target) for _ in range(self.r.choice([1, 1, 1, 2, 3]))]
            files[f'patches/{name}'] = parts
        return files

    def add_patches(self, case, verb):
        names = self.g.flags[' '.join(verb)]
        flag = next((n for n in ('patches', 'experimental-patches') if n in names), None)
        inits = [d for d in case.docs if isinstance(d, dict) and d.get('kind') == 'InitConfiguration' and not str(d.get('apiVersion')).endswith(('beta1', 'beta2'))]
        if self.g.minor >= 22 and inits:
            inits[0]['patches'] = {'directory': 'patches' if not self.chance(0.03) else 'nosuch'}
        elif flag:
            case.args.append([f'--{flag}', 'patches'])
        else:
            return
        case.files.update(self.patches(verb))
        if self.chance(0.03):
            case.files = {}

    def surroundings(self, case):
        case.tree = {path: None for path in pools.CA_DIRECTORIES[:4]}
        if self.chance(0.3):
            case.tree = {path: None for path in pools.CA_DIRECTORIES if self.chance(0.5)}
            if self.chance(0.1):
                case.tree = {path: None for path in case.tree if not path.startswith('etc/pki')}
                case.tree['etc/pki'] = 'a file\n'
            elif self.chance(0.3):
                # As in the tree of another machine: links are to be followed below it.
                link = self.r.choice(pools.CA_DIRECTORIES)
                case.tree = {path: None for path in case.tree if not path.startswith(link)}
                case.tree[link] = {'link': self.r.choice(['/etc/ssl', '/nonexistent', '../certs', '/usr', '../../../../../../etc'])}
                # Every host has one. kubeadm would make it between two manifests, and a link to it lead nowhere for the first alone.
                case.tree['etc'] = None
        if self.chance(0.25):
            for name, value in self.r.sample(pools.ENVIRONMENT, self.r.choice([1, 2, 4])):
                case.env[name] = value
        if self.chance(0.1):
            self.existing(case)
        if self.chance(0.02):
            case.tree[f'etc/kubernetes/manifests/{self.r.choice(pools.TARGETS)}.yaml'] = 'old\n'

    def existing(self, case):
        """The node was set up before; some of its files are missing or broken."""
        kept = {name: text for name, text in self.g.stock.items() if not self.chance(0.05)}
        for name in self.r.choice([['ca.key'], ['front-proxy-ca.key'], ['ca.key', 'front-proxy-ca.key'], ['ca.key', 'etcd/ca.key'], [], ['ca.key', 'front-proxy-ca.crt'], ['apiserver.key'], ['apiserver.crt'],
                                   ['sa.pub'], ['sa.key'], ['etcd/server.crt'], ['ca.crt']]):
            kept.pop(f'etc/kubernetes/pki/{name}', None)
        if kept and self.chance(0.1):
            kept[self.r.choice(sorted(kept))] = self.r.choice(['', 'garbage\n', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'])
        case.tree.update(kept)

    def arguments(self, case, verb):
        """Options that stand for a configuration."""
        case.args += self.options(verb)
        names = self.g.flags[' '.join(verb)]
        for name, value in (('apiserver-advertise-address', '192.0.2.10'), ('node-name', 'node1'), ('kubernetes-version', f'v1.{self.g.minor}.0'),
                            ('cri-socket', 'unix:///run/containerd/containerd.sock')):
            if name in names and not any(f'--{name}' in g[0] for g in case.args[1:]) and not self.chance(0.05):
                case.args.append([f'--{name}={value}'])

    def configuration(self, case, verb):
        experimental = self.g.experimental if self.g.experimental and 'allow-experimental-api' in case.flags and self.chance(0.5) else []
        case.docs = self.docs(experimental or (self.g.experimental if self.chance(0.02) else []))
        if verb[:2] in (['config', 'migrate'], ['config', 'validate']) and self.chance(0.35):
            case.docs = self.node_documents(case.docs, self.r.choice(experimental or self.g.apis))
        if self.g.experimental and 'allow-experimental-api' in case.flags and self.chance(0.9 if experimental else 0.2):
            case.args.append(['--allow-experimental-api'])
        case.args.append(['--old-config' if verb == ['config', 'migrate'] else '--config', CONFIG])
        if self.chance(0.04):
            case.args += self.options(verb)
        if self.chance(0.06):
            case.mangle = self.r.sample(sorted(MANGLES), self.r.choice([1, 1, 2]))

    def case(self):
        verb = list(self.r.choices([v for _, v in self.g.verbs], [w for w, _ in self.g.verbs])[0])
        case = Case([verb], flags=self.g.flags[' '.join(verb)])
        if verb[0] == 'reset':
            return self.reset_case(case, verb)
        if verb[:2] == NO_CONFIG:
            case.args += self.options(verb)
        elif not any(verb[:len(need)] == need for need in NEED_CONFIG) and self.chance(0.04 if verb[0] in ('certs', 'kubeconfig') else 0.18):  # RSA keys take long
            self.arguments(case, verb)
        else:
            self.configuration(case, verb)
        if verb[0] in ('certs', 'kubeconfig'):
            self.prefer_ecdsa(case)
        if verb[0] in ('control-plane', 'etcd', 'kubelet-start', 'addon') and self.chance(0.35):
            self.add_patches(case, verb)
        self.surroundings(case)
        if any(verb[:len(need)] == need for need in NEED_FILES) and not self.chance(0.05):
            self.existing(case)
        if system_users.wanted(case) and not self.chance(0.05):
            self.rootless(case)
        if verb == ['kubeconfig', 'user']:
            case.args.append([f"--client-name={self.r.choice(['alice', 'a b', 'system:x', 'ä'])}"])
            self.put_option(case, 'org', ['dev', 'a,b', ''])
            self.put_option(case, 'token', ['abc', ''])
            self.put_option(case, 'validity-period', ['24h', '1h30m', 'x', '8760h'])
        return case

    def put_option(self, case, name, values):
        if name in case.flags and self.chance(0.4):
            case.args.append([f'--{name}={self.r.choice(values)}'])

    def prefer_ecdsa(self, case):
        for doc in case.docs:
            if isinstance(doc, dict) and doc.get('kind') == 'ClusterConfiguration' and self.chance(0.9):
                if since(str(doc.get('apiVersion')).removeprefix('kubeadm.k8s.io/'), LISTS):
                    doc.setdefault('encryptionAlgorithm', 'ECDSA-P256')
                elif 'PublicKeysECDSA' in self.g.gates and isinstance(doc.get('featureGates', {}), dict):
                    doc.setdefault('featureGates', {})['PublicKeysECDSA'] = True

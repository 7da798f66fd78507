# SPDX-License-Identifier: Apache-2.0
"""Random documents of the kinds that are for one node: Join-, Reset- and UpgradeConfiguration."""
from . import pools

JOIN_ENDPOINT = (['10.0.0.9:6443', 'lb.example.org:6443', '[fd00::9]:6443', 'lb.example.org'], ['10.0.0.9', ':6443', 'lb_x:1', 'http://lb:6443', '', 5, 'lb:99999'])
CA_HASHES = ([['sha256:' + 'ab' * 32], ['sha256:' + '01' * 32, 'sha256:' + 'ff' * 32]], [['md5:ab'], [''], ['sha256:zz'], 'x', [], ['sha256:ab']])
KUBECONFIG_PATH = (['/etc/kubernetes/discovery.conf', 'https://example.org/cluster.conf'], ['relative.conf', '', 'http://example.org/x', 'file:///x', 5])
UNMOUNT_FLAGS = ([['MNT_FORCE'], ['MNT_DETACH', 'UMOUNT_NOFOLLOW']], [['MNT_NONE'], [''], 'MNT_FORCE', [3]])


def since(api, first):
    """Whether an API version is `first` or newer."""
    return api == 'v1' or api >= first


class NodeDocuments:
    """Part of a draw: uses chance, has, pick, put, registration, timeouts and spoil of it."""

    def discovery(self, api):
        made = {}
        if not self.chance(0.15):
            token = made['bootstrapToken'] = {'token': self.pick(pools.TOKEN)}
            self.put(token, 'apiServerEndpoint', JOIN_ENDPOINT, 9)
            if self.chance(0.8):
                token['caCertHashes'] = self.pick(CA_HASHES)
            else:
                self.put(token, 'unsafeSkipCAVerification', pools.BOOLEAN, 9)
        if not made or self.chance(self.bad):
            made['file'] = {'kubeConfigPath': self.pick(KUBECONFIG_PATH)}
        self.put(made, 'tlsBootstrapToken', pools.TOKEN)
        if not since(api, 'v1beta4') or self.g.minor < 30 or self.chance(self.bad):
            self.put(made, 'timeout', pools.DURATION)
        return made

    def join(self, api):
        made = {'apiVersion': f'kubeadm.k8s.io/{api}', 'kind': 'JoinConfiguration', 'nodeRegistration': self.registration(api)}
        if not self.chance(self.bad):
            made['discovery'] = self.discovery(api)
        if self.chance(0.4):
            plane = made['controlPlane'] = {'localAPIEndpoint': {'advertiseAddress': self.pick(pools.ADDRESS)}}
            self.put(plane['localAPIEndpoint'], 'bindPort', pools.PORT)
            self.put(plane, 'certificateKey', pools.CERTIFICATE_KEY)
        self.put(made, 'caCertPath', pools.PATH)
        if since(api, 'v1beta3'):
            self.put(made, 'skipPhases', pools.SKIP)
            self.put(made, 'patches', lambda: {'directory': 'patches'})
        if self.has(api, 30):
            self.put(made, 'timeouts', self.timeouts)
        if self.has(api, 29):
            self.put(made, 'dryRun', pools.BOOLEAN)
        return self.spoil(made)

    def reset(self, api):
        made = {'apiVersion': f'kubeadm.k8s.io/{api}', 'kind': 'ResetConfiguration'}
        self.put(made, 'certificatesDir', pools.DIRECTORY)
        self.put(made, 'criSocket', pools.CRI_SOCKET, 9)
        for name in ('cleanupTmpDir', 'dryRun', 'force'):
            self.put(made, name, pools.BOOLEAN)
        self.put(made, 'ignorePreflightErrors', pools.IGNORE)
        self.put(made, 'skipPhases', pools.SKIP)
        if self.has(api, 30):
            self.put(made, 'unmountFlags', UNMOUNT_FLAGS)
            self.put(made, 'timeouts', self.timeouts)
        return self.spoil(made)

    def upgrade(self, api):
        made = {'apiVersion': f'kubeadm.k8s.io/{api}', 'kind': 'UpgradeConfiguration'}
        flags = ['allowExperimentalUpgrades', 'allowRCUpgrades', 'certificateRenewal', 'dryRun', 'etcdUpgrade', 'forceUpgrade', 'printConfig', 'imagePullSerial']
        for part in ('apply', 'node', 'plan'):
            if self.chance(self.fill):
                sub = made[part] = {}
                for name in flags:
                    self.put(sub, name, pools.BOOLEAN, 0.5)
                self.put(sub, 'kubernetesVersion', lambda: str(self.version()))
                self.put(sub, 'ignorePreflightErrors', pools.IGNORE)
                self.put(sub, 'imagePullPolicy', pools.PULL_POLICY)
                self.put(sub, 'patches', lambda: {'directory': 'patches'})
                self.put(sub, 'skipPhases', pools.SKIP)
        self.put(made, 'diff', lambda: {'contextLines': self.r.choice([3, 0, -1, '3']), 'kubernetesVersion': str(self.version())})
        self.put(made, 'timeouts', self.timeouts)
        return self.spoil(made)

    def node_documents(self, docs, api):
        """Puts a document of a node, or of two kinds, among others, or in their place."""
        kind = self.r.choice([self.join, self.join, self.reset, self.upgrade])
        made = kind(api if kind == self.join or api in self.g.experimental or self.chance(0.1) else max(self.g.apis))
        made = [made, self.reset(api)] if self.chance(0.1) and kind != self.reset else [made]
        return made if self.chance(0.7) else docs + made

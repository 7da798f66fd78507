# SPDX-License-Identifier: Apache-2.0
"""reset and its phases on a node that has something, without a cluster that answers."""
from . import pools
from .case import CONFIG

VERBS = [(5, ['reset']), (1, ['reset', 'phase', 'preflight']), (2, ['reset', 'phase', 'remove-etcd-member']), (2, ['reset', 'phase', 'cleanup-node'])]
NODE = ['etc/kubernetes/manifests/kube-apiserver.yaml', 'etc/kubernetes/manifests/sub/x', 'etc/kubernetes/pki/ca.crt', 'etc/kubernetes/pki/etcd/ca.key', 'etc/kubernetes/kubelet.conf',
        'etc/kubernetes/super-admin.conf', 'etc/kubernetes/bootstrap-kubelet.conf', 'etc/kubernetes/scheduler.conf/x', 'etc/kubernetes/mine.conf', 'etc/kubernetes/tmp/x/y', 'etc/kubernetes/tmp/z',
        'srv/pki/ca.crt', 'srv/keys/x', 'var/lib/kubelet/config.yaml', 'var/lib/kubelet/pods/u/volumes/x', 'var/lib/etcd/member/snap/db', 'srv/etcd/member/wal', 'var/lib/cni/x',
        'var/lib/dockershim/x', 'var/run/kubernetes/x']
ADMIN_CONF = ['x', '', 'apiVersion: v1\nkind: Config\n', {'kubeconfig': 'kubernetes-admin', 'server': 'https://127.0.0.1:1'}]
ETCD = (['apiVersion: v1\nkind: Pod\nspec:\n  volumes:\n  - {name: x, hostPath: {path: /x}}\n  - {name: etcd-data, hostPath: {path: /srv/etcd}}\n',
         'apiVersion: v1\nkind: Pod\nspec:\n  volumes: [{name: etcd-data, hostPath: {path: /srv/no/such}}]\n'],
        ['', 'x', '{', 'apiVersion: v1\nkind: Pod\nspec: {volumes: [{name: data, hostPath: {path: /x}}]}\n', 'apiVersion: v1\nkind: Pod\n', 'kind: Pod\nspec: 5\n'])
LINKS = [('var/lib/kubelet', '/srv/kubelet'), ('var/lib/kubelet', '/nonexistent'), ('etc/kubernetes/pki', '/srv/pki'), ('srv/etcd', '../var/lib/etcd'), ('etc/kubernetes/manifests', '/srv')]
PHASES = (['preflight', 'remove-etcd-member', 'cleanup-node', 'preflight,cleanup-node', ''], ['nosuch', 'cleanupnode', 'preflight,', ','])
CHECKS = (['Swap', 'all', 'IsPrivilegedUser,Port-6443'], ['all,Swap', ',', ''])


class ResetCases:
    """Mixed into what draws a case (chance, pick, r, reset)."""

    def reset_node(self, case):
        case.tree = {'proc/mounts': '', **{path: 'x\n' for path in NODE if self.chance(0.6)}}
        # A dry run of genphase's tells of the etcd of a manifest too, and does not print what it asks the cluster.
        dry = ['--dry-run'] in case.args or any(isinstance(doc, dict) and doc.get('dryRun') for doc in case.docs)
        if self.chance(0.7):
            case.tree['etc/kubernetes/admin.conf'] = self.r.choice(ADMIN_CONF[:3] if dry else ADMIN_CONF)
        if not dry and self.chance(0.7):
            case.tree['etc/kubernetes/manifests/etcd.yaml'] = self.pick(ETCD)
        if self.chance(0.15):
            path, target = self.r.choice(LINKS)
            case.tree = {name: text for name, text in case.tree.items() if not name.startswith(f'{path}/')}
            case.tree[path] = {'link': target}

    def reset_case(self, case, verb):
        if 'config' in case.flags and self.chance(0.5):
            case.docs = [self.reset(max(self.g.apis) if self.chance(0.95) else self.r.choice(self.g.apis))]
            if self.chance(0.05):
                case.docs = [self.upgrade(max(self.g.apis))]
            if self.chance(0.1):
                case.docs.append(self.r.choice([self.reset(max(self.g.apis)), self.cluster(max(self.g.apis)), 'just text', '{']))
            case.args.append(['--config', CONFIG])
        flags = {'--force': 0.1 if case.docs else 0.8, '-f': 0.05, '--dry-run': 0.15, '--cleanup-tmp-dir': 0.1 if case.docs else 0.3}
        case.args += [[flag] for flag, probability in flags.items() if (flag == '-f' or flag[2:] in case.flags) and self.chance(probability)]
        for name, pool, probability in (('cert-dir', pools.DIRECTORY, 0.1 if case.docs else 0.3), ('skip-phases', PHASES, 0.2), ('ignore-preflight-errors', CHECKS, 0.15),
                                        ('cri-socket', (['unix:///run/x.sock'], ['/run/x.sock', '']), 0.2)):
            if name in case.flags and self.chance(probability):
                case.args.append([f'--{name}={self.pick(pool)}'])
        self.reset_node(case)
        return case

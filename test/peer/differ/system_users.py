# SPDX-License-Identifier: Apache-2.0
"""What feature gate RootlessControlPlane finds on a node: users and groups of the machine, and the files that are to be theirs.

kubeadm looks at /etc/passwd, /etc/group and /etc/login.defs and writes the first two: with --rootfs those of the case's tree.
"""
import posixpath

GATE = 'RootlessControlPlane'
USERS = ['kubeadm-etcd', 'kubeadm-kas', 'kubeadm-kcm', 'kubeadm-ks']
READERS = ('kubeadm-sa-key-readers', ['kubeadm-kas', 'kubeadm-kcm'])
KEYS = ['sa.pub', 'sa.key', 'apiserver.key', 'apiserver-kubelet-client.key', 'front-proxy-client.key', 'apiserver-etcd-client.key', 'ca.key', 'etcd/server.key',
        'etcd/peer.key']
OTHERS = ['etc/kubernetes/controller-manager.conf', 'etc/kubernetes/scheduler.conf', 'var/lib/etcd/member/snap/db']
LOGIN_DEFS = (['UMASK 022\nSYS_UID_MIN\t\t101\nSYS_GID_MIN 101\n#SYS_GID_MAX 200\n', 'SYS_UID_MAX 500\nSYS_GID_MAX 400\n', 'SYS_UID_MIN 100\nSYS_UID_MIN 200\n', ''],
              ['SYS_UID_MIN many\n', 'SYS_GID_MIN 105\nSYS_GID_MAX 108\n', ' SYS_UID_MIN 300\n', 'SYS_UID_MINI 5\n', 'SYS_UID_MIN 900\nSYS_UID_MAX 200\n', 'SYS_GID_MAX\n'])
PASSWD_LINES = (['daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin', 'messagebus:x:102:105::/nonexistent:/usr/sbin/nologin', 'nobody:x:65534:65534::/:/bin/false', '',
                 '  some:x:103:101::/:/bin/false'], ['one:two', 'x:x:many:1::/:/bin/false', 'x:x:1:many::/:/bin/false', '# a comment', '::0:0:::'])
GROUP_LINES = (['daemon:x:1:', 'systemd-journal:x:101:', 'messagebus:x:105:', 'adm:x:4:syslog,root', ''], ['one:two', 'x:x:many:', 'x:x:-1:', '#'])


def wanted(case):
    """Whether a case has the gate on, by a document or a flag."""
    def on(doc):
        gates = doc.get('featureGates') if isinstance(doc, dict) else None
        return isinstance(gates, dict) and gates.get(GATE) is True
    return any(on(doc) for doc in case.docs) or any(f'{GATE}=true' in word for group in case.args for word in group)


class SystemUsers:
    """Mixed into what draws a case (chance, pick, r)."""

    def own_users(self):
        """Lines of the users that kubeadm makes, as an earlier run left them; now and then one that is not as it would be."""
        passwd, group = [], []
        for number, name in enumerate(USERS, self.r.choice([100, 300])):
            if self.chance(0.1):
                continue
            uid, gid = (self.r.choice([1000, 5]) if self.chance(self.bad / 4) else number for _ in range(2))
            passwd.append(f'{name}:x:{uid}:{gid}:::{"/bin/sh" if self.chance(self.bad / 4) else "/bin/false"}')
            group.append(f'{name}:x:{number}:{"" if self.chance(self.bad / 4) else name}')
        group.append(f'{READERS[0]}:x:{number + 1}:{",".join(READERS[1])}')
        return passwd, group

    def lines(self, pool):
        return [self.pick(pool) for _ in range(self.r.choice([0, 1, 3]))]

    def certificates(self, case):
        """Their directory, without the first slash."""
        given = [doc['certificatesDir'] for doc in case.docs if isinstance(doc, dict) and isinstance(doc.get('certificatesDir'), str)]
        words = case.command()
        given += [after if word == '--cert-dir' else word.partition('=')[2] for word, after in zip(words, words[1:] + ['']) if word.startswith('--cert-dir')]
        directory = given[0] if given and given[0].startswith('/') else '/etc/kubernetes/pki'
        return posixpath.normpath(directory).lstrip('/')

    def rootless(self, case):
        passwd, group = self.own_users() if self.chance(0.3) else ([], [])
        passwd = ['root:x:0:0:root:/root:/bin/bash', *dict.fromkeys(self.lines(PASSWD_LINES)), *passwd]
        group = ['root:x:0:', *dict.fromkeys(self.lines(GROUP_LINES)), *group]
        end = '' if self.chance(0.1) else '\n'
        files = {'etc/passwd': '\n'.join(passwd) + end, 'etc/group': '\n'.join(group) + end, 'etc/login.defs': self.pick(LOGIN_DEFS)}
        case.tree.update({path: text for path, text in files.items() if not self.chance(self.bad / 4 if path != 'etc/login.defs' else 0.5)})
        directory = self.certificates(case)
        if f'{directory}/ca.crt' in case.tree:
            return  # a node that was set up before has its own
        for path in [f'{directory}/{key}' for key in KEYS] + OTHERS:
            if not self.chance(self.bad / 8):
                case.tree.setdefault(path, 'x\n')

# SPDX-License-Identifier: Apache-2.0
"""README's steps by hand, taken from README itself and run in its order: from an empty host to `kubectl get pods -A`."""
import os
import re
import subprocess

from harness import Host, Podwatch, kubernetes_version, peers, program, wait_for

ORDERED = True
TIMEOUT = 400
COMPONENTS = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-proxy', 'kube-scheduler']
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# A network namespace may not write nf_conntrack_max, which kube-proxy does unless it is told to leave it.
PROXY = '---\napiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nconntrack:\n  maxPerCore: 0\n'


def steps():
    """The commands of README's chapter, in order, each with its here document and its comment."""
    with open(f'{ROOT}/README.md') as f:
        chapter = f.read().split('\n## The same by hand\n')[1].split('\n## ')[0]
    lines = iter('\n'.join(re.findall(r'^```\n(.*?)^```$', chapter, re.M | re.S)).splitlines())
    commands = []
    for line in lines:
        if '<<END' in line:
            for more in lines:
                line += '\n' + more
                if more == 'END':
                    break
        if line:
            commands.append(line)
    return commands


class Reader:
    """Somebody at a shell of the host, in a checkout that is built."""

    def __init__(self):
        self.host = Host('readme', node_address='192.0.2.10')
        build = os.path.dirname(os.path.dirname(os.path.dirname(program('genphase'))))
        self.checkout = f'{self.host.directory}/checkout'
        os.mkdir(self.checkout)
        os.symlink(build, f'{self.checkout}/build')
        os.symlink(f'{ROOT}/etc-kubernetes', f'{self.checkout}/etc-kubernetes')
        self.env = {'PATH': f"{peers()}:{self.host.env['PATH']}"}
        self.steps = steps()
        self.said = ''

    def type_until(self, pattern):
        """Types README's commands up to and with the first that matches; gives that one."""
        while self.steps:
            command = self.steps.pop(0)
            self.type(command)
            if re.search(pattern, command):
                return command
        raise AssertionError(f'README has no further {pattern}')

    def type(self, command):
        command, _, comment = command.partition(' #') if '\n' not in command else (command, '', '')
        if command.startswith('meson setup'):
            return  # The suite runs on a build that is there.
        if command.startswith('PATH='):
            self.env['PATH'] = self.shell(f'{command}; printf %s "$PATH"')
        elif command.endswith('&'):
            with open(f'{self.host.logs}/podwatch.log', 'w') as log:
                self.host.popen(['bash', '-c', 'exec ' + command.rstrip('& ')], cwd=self.checkout, env=self.env, stdout=log,
                                stderr=subprocess.STDOUT)
        elif 'images pull' in command:
            # There is no registry in a test: README's other way.
            other = comment.partition('or: ')[2].replace('DIR', peers())
            assert other.startswith('genphase images build'), comment
            self.said = self.shell(other + ' ' + command[command.index('--config'):], timeout=300)
        else:
            self.said = self.shell(command.replace('\nEND', f'\n{PROXY}END') if 'kubernetesVersion' in command else command, timeout=300)

    def shell(self, command, **kwargs):
        return self.host.output('bash', '-c', command, cwd=self.checkout, env=self.env, **kwargs)


def setup():
    return Reader()


def test_readme_names_the_version_that_is_tested(reader):
    assert [s for s in reader.steps if f'kubernetesVersion: v{kubernetes_version()}' in s], reader.steps


def test_configuration_is_valid(reader):
    reader.type_until('config validate')


def test_podwatch_starts_on_an_empty_directory(reader):
    reader.type_until('podwatch run')
    wait_for(lambda: Podwatch(reader.host).pods() == {}, 20, 'podwatch to answer')


def test_status_says_why_the_api_server_crashes(reader):
    reader.type_until('control-plane apiserver')
    comment = reader.type_until('podwatch status').partition('#')[2]
    assert 'kube-apiserver crash-loops' in comment and '127.0.0.1:2379' in comment
    # It takes the API server about twenty seconds to give up.
    wait_for(lambda: re.search(r'127\.0\.0\.1:2379.*refused', reader.shell('podwatch status')), 90, 'the last words of kube-apiserver', 0.5)


def test_with_etcd_both_run(reader):
    reader.type_until('etcd local')
    reader.type_until('podwatch status')
    wait_for(lambda: ready(reader) == {'etcd-node1', 'kube-apiserver-node1'}, 120, 'etcd and kube-apiserver to be Ready', 0.5)


def ready(reader):
    pods = Podwatch(reader.host).pods()
    return {p['metadata']['name'] for p in pods.values()
            if any(c['type'] == 'Ready' and c['status'] == 'True' for c in p['status'].get('conditions', []))}


def test_the_rest_and_the_clusters_own_objects(reader):
    reader.type_until('genphase wait-control-plane')
    reader.type_until('kubectl .*get nodes,pods')
    assert reader.steps == [], reader.steps
    wait_for(lambda: ready(reader) == {f'{c}-node1' for c in COMPONENTS}, 60, 'every component to be Ready', 0.5)

    def mirrors_run():
        reader.type('kubectl --kubeconfig /etc/kubernetes/admin.conf get nodes,pods -A -o wide')
        missing = [c for c in COMPONENTS if not re.search(rf'pod/{c}-node1 +1/1 +Running ', reader.said)]
        assert not missing, reader.said
        return True
    wait_for(mirrors_run, 60, 'kubectl to show every component', 0.5)
    assert re.search(r'node/node1 +Ready', reader.said), reader.said

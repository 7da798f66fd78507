# SPDX-License-Identifier: Apache-2.0
"""Kubernetes' own tests of a node agent (test/e2e_node, specs of StandaloneMode and MirrorPod) with podwatch as the agent.

Each spec runs in a process of the suite of its own, some side by side; those that upstream marks Serial come last, alone. A point is
one spec. Specs that are not run are listed with the reason, and a spec that is in no list fails.
"""
import io
import os
import re
import subprocess
import tarfile
import time
import xml.etree.ElementTree

from cluster import CONFIG, KUBEADM_YAML, PODWATCH_CONFIG, Podwatch, kubernetes_version, peers, program
from docker_api import busybox_tar
from harness import Host, wait_for
from test_api_side import ADMIN_TOKEN, Server

NODE = 'node1'
SIDE_BY_SIDE = 6
SPEC_SECONDS = 300
SETUP_TIMEOUT = 240
TIMEOUT = 480
FOCUS = 'StandaloneMode|MirrorPod'
HOME = '/etc/kubernetes/e2e'

# What ginkgo calls each spec, without the labels in brackets.
RUN = {
    'standalone_pod_runs': 'when creating a static pod the pod should be running',
    'standalone_container_is_renamed': 'when creating a static pod the pod with the port on host network should be running and can be upgraded '
                                       'when the container name changes',
    'standalone_env_file': 'when creating a static pod with EnvFiles the pod should be running and consume variables',
    'mirror_env_file': 'MirrorPod with EnvFiles when creating a static pod with EnvFiles should be able to consume variables from a file',
    'mirror_is_updated': 'MirrorPod when create a mirror pod should be updated when static pod updated',
    'mirror_is_recreated_after_graceful_deletion': 'MirrorPod when create a mirror pod should be recreated when mirror pod gracefully deleted',
    'mirror_is_recreated_after_forced_deletion': 'MirrorPod when create a mirror pod should be recreated when mirror pod forcibly deleted',
    'mirror_is_recreated_when_file_is_removed_and_recreated': 'MirrorPod when create a mirror pod without changes should successfully recreate when '
                                                              'file is removed and recreated',
    'grace_period_when_deleted': 'MirrorPodWithGracePeriod when create a mirror pod mirror pod termination should satisfy grace period when static '
                                 'pod is deleted',
    'grace_period_when_updated': 'MirrorPodWithGracePeriod when create a mirror pod mirror pod termination should satisfy grace period when static '
                                 'pod is updated',
    'many_updates_in_grace_period': 'MirrorPodWithGracePeriod when create a mirror pod should update a static pod when the static pod is updated '
                                    'multiple times during the graceful termination period',
    'generation_and_active_deadline': 'MirrorPod (Pod Generation) mirror pod updates mirror pod: update activeDeadlineSeconds',
    'generation_and_image': 'MirrorPod (Pod Generation) mirror pod updates mirror pod: update container image',
    'generation_and_init_image': 'MirrorPod (Pod Generation) mirror pod updates mirror pod: update initContainer image',
}
# One after the other, when nothing else runs.
RUN_ALONE = {
    'standalone_agent_restarts': 'when creating a static pod and restarting kubelet the pod should be running and kubelet not panic',
}
LEFT_OUT = {
    'when creating a static pod when the static pod has init container should be ready after init container is removed and kubelet restarts':
        'removes the container through the CRI, and Docker has none; wants another startTime after a restart, which podwatch keeps',
    'MirrorPodWithGracePeriod when create a mirror pod and the container runtime is temporarily down during pod termination the mirror pod should '
    'terminate successfully': 'asks the CRI whether the runtime is up, and Docker has none',
    'MirrorPod when kubelet restarts should not change container status':
        'waits for a schedulable node, and that of podwatch takes no other pods; what it looks for is in test_control_plane',
    'MirrorPod when recreating a static pod it should launch successfully even if it temporarily failed termination due to volume failing '
    'to unmount':
        'needs an NFS volume; podwatch refuses network volumes',
    'Pod Extended (RestartAllContainers) should restart all containers on regular container exit': 'RestartAllContainers (beta) is refused',
}

PODWATCH_YAML = '''\
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
staticPodPath: /etc/kubernetes/manifests
fileCheckFrequency: 10s
readOnlyPort: 10255
authentication:
  x509:
    clientCAFile: /etc/kubernetes/pki/ca.crt
---
apiVersion: podwatch.io/v1alpha1
kind: PodwatchConfiguration
eachRemovalCounts: true
'''
# What the suite asks of systemd: the unit is podwatch as this test runs it.
SHIMS = {
    'sudo': '#!/bin/sh\nexec "$@"\n',
    'systemctl': f'''\
#!/bin/sh
case $1 in
list-units) echo kubelet-podwatch.service loaded active running podwatch ;;
reset-failed) ;;
*)
	echo "$1" >{HOME}/request.new && mv {HOME}/request.new {HOME}/request
	while [ -e {HOME}/request ]; do sleep 0.1; done
	;;
esac
''',
}


def plain(name):
    """A spec's name without labels."""
    return ' '.join(re.sub(r'\[[^]]*\]', ' ', name).split())


def focus(spec):
    """A pattern for this spec alone. The suite's name stands before it, labels anywhere."""
    labels = r'( +\[[^]]*\])*'
    return f'^E2eNode Suite{labels} +' + f'{labels} +'.join(re.escape(word) for word in spec.split()) + f'{labels}$'


def program_tar(path, name):
    """A layer with one static program."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w') as tar:
        tar.add(path, arcname=name)
    return out.getvalue()


class Spec:
    """One process of the suite."""

    def __init__(self, state, slug, spec):
        self.state, self.slug, self.spec = state, slug, spec
        self.log = f'{state.host.logs}/spec-{slug}.log'
        self.report = f'{HOME}/{slug}.xml'
        self.process, self.began = None, 0

    def start(self):
        self.began = time.monotonic()
        arguments = ['--node-name', NODE, '--host', 'https://127.0.0.1:6443', '--bearer-token', ADMIN_TOKEN, f'--ginkgo.focus={focus(self.spec)}',
                     f'--ginkgo.timeout={SPEC_SECONDS}s', f'--ginkgo.junit-report={self.report}']
        with open(self.log, 'w') as log:
            self.process = self.state.suite(*arguments, stdout=log, stderr=subprocess.STDOUT)

    def results(self):
        return [t for t in xml.etree.ElementTree.fromstring(self.state.host.read(self.report)).iter('testcase')
                if t.get('name').startswith('[It]') and t.get('status') != 'skipped']

    def check(self):
        """Exactly this spec ran and passed."""
        took = time.monotonic() - self.began
        with open(self.log, errors='replace') as f:
            last = f.read()[-6000:]
        assert self.process.returncode == 0, f'exit {self.process.returncode} after {took:.0f} s: {last}'
        ran = [(plain(t.get('name')), t.get('status')) for t in self.results()]
        assert ran == [(self.spec, 'passed')], f'{ran}: {last}'


class State:
    def suite(self, *arguments, **kwargs):
        command = [f'{peers()}/e2e_node.test', '--start-services=false', '--stop-services=false', '--prepull-images=false', '--ginkgo.no-color',
                   *arguments]
        return self.host.popen(command, cwd=HOME, env={'PATH': f'{HOME}/bin:{self.host.search_path}'}, **kwargs)

    def serve(self):
        """Do what a spec asked of the unit."""
        path = self.host.path(f'{HOME}/request')
        if not os.path.exists(path):
            return
        with open(path) as f:
            request = f.read().strip()
        if self.podwatch.alive():
            self.podwatch.stop()
        if request == 'restart':
            self.podwatch.start(wait=False)
        os.unlink(path)

    def pump(self):
        """Starts what may start: side by side up to a number, or one that wants to be alone."""
        self.serve()
        running = [s for s in self.specs.values() if s.process and s.process.poll() is None]
        waiting = [s for s in self.specs.values() if not s.process]
        for spec in waiting:
            alone = spec.slug in RUN_ALONE
            if running and (alone or len(running) >= SIDE_BY_SIDE or running[0].slug in RUN_ALONE):
                return
            spec.start()
            running.append(spec)

    def wait(self, slug):
        spec = self.specs[slug]

        def ended():
            self.pump()
            return spec.process and spec.process.poll() is not None
        wait_for(ended, TIMEOUT - 20, f'the end of {slug}', 0.2)
        spec.check()


def make_images(docker):
    """The images that these specs name (test/utils/image/manifest.go), from programs that are here."""
    docker.import_image('registry.k8s.io/pause:3.10.2', program_tar(program('pause'), 'pause'), ['ENTRYPOINT ["/pause"]'])
    busybox = busybox_tar()
    docker.import_image('registry.k8s.io/e2e-test-images/busybox:1.37.0-1', busybox, ['ENV PATH=/bin', 'CMD ["sh"]'])
    # Serves and ends when asked to, as nginx does.
    docker.import_image('registry.k8s.io/e2e-test-images/nginx:1.15-4', busybox, [
        'ENV PATH=/bin', 'CMD ["sh", "-c", "trap \'exit 0\' TERM; httpd -f -h /etc & wait"]'])


def setup():
    state = State()
    state.host = host = Host('e2e')
    make_images(host.docker)
    for name, text in SHIMS.items():
        host.write(f'{HOME}/bin/{name}', text, 0o755)
    host.write(CONFIG, KUBEADM_YAML.format(address=host.node_address, node=NODE, version=kubernetes_version()), 0o600)
    for phase in ('ca', 'apiserver-kubelet-client'):
        host.run([program('genphase'), 'certs', phase, '--config', CONFIG])
    state.server = Server(host, api=['--disable-admission-plugins=ServiceAccount', '--kubelet-preferred-address-types=InternalIP',
                                     *(f'--kubelet-client-{what}=/etc/kubernetes/pki/apiserver-kubelet-client.{end}'
                                       for what, end in (('certificate', 'crt'), ('key', 'key')))])
    wait_for(state.server.ready, 120, 'the API server')
    state.server.kubeconfig()
    state.server.start_controllers()
    # As kubeadm does it: the API server may do with its nodes what it does for others.
    state.server.kubectl('create', 'clusterrolebinding', 'kubelet-client', '--clusterrole=system:kubelet-api-admin',
                         '--user=kube-apiserver-kubelet-client')
    host.write(PODWATCH_CONFIG, PODWATCH_YAML)
    os.makedirs(host.path('/etc/kubernetes/manifests'), exist_ok=True)
    state.podwatch = Podwatch(host, kubeconfig='/etc/kubernetes/kubelet.conf').start()
    wait_for(lambda: state.server.kubectl('get', '--raw', f'/api/v1/nodes/{NODE}/proxy/configz').stdout, 60, 'configz through the API server', 0.5)
    state.specs = {slug: Spec(state, slug, spec) for slug, spec in {**RUN, **RUN_ALONE}.items()}
    return state


def test_every_spec_is_run_or_has_its_reason(state):
    process = state.suite('--ginkgo.dry-run', f'--ginkgo.focus={FOCUS}', f'--ginkgo.junit-report={HOME}/all.xml', '--node-name', NODE,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert process.wait(60) == 0
    state.pump()
    root = xml.etree.ElementTree.fromstring(state.host.read(f'{HOME}/all.xml'))
    specs = {plain(t.get('name')) for t in root.iter('testcase') if t.get('name').startswith('[It]') and t.get('status') != 'skipped'}
    assert len(specs) >= 20, specs
    known = set(RUN.values()) | set(RUN_ALONE.values()) | set(LEFT_OUT)
    assert specs == known, (specs - known, known - specs)


def spec_test(slug):
    def test(state):
        state.wait(slug)
    return test


globals().update({f'test_{slug}': spec_test(slug) for slug in {**RUN, **RUN_ALONE}})


def teardown(state):
    for spec in getattr(state, 'specs', {}).values():
        if spec.process and spec.process.poll() is None:
            spec.process.kill()
    state.host.close()

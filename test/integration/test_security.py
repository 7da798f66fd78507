# SPDX-License-Identifier: Apache-2.0
"""Users, groups, capabilities, profiles, namespaces, cgroups and room on the node, as a container and the host see them."""
import json
import os

from cluster import PODWATCH_CONFIG, PODWATCH_YAML
from harness import Host, Podwatch, wait_for

PROFILE = {'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [{'names': ['chmod', 'fchmodat', 'fchmodat2'], 'action': 'SCMP_ACT_ERRNO'}]}


def manifest(name, security=None, container=None, **spec):
    main = {'name': 'main', 'image': 'localhost/busybox:1', 'command': ['sleep', '100000'], **(container or {})}
    if security:
        main['securityContext'] = security
    return json.dumps({'apiVersion': 'v1', 'kind': 'Pod', 'metadata': {'name': name}, 'spec': {
        'terminationGracePeriodSeconds': 0, 'containers': [main], **spec}})


class State:
    def put(self, name, *args, **kwargs):
        self.host.write(f'/etc/kubernetes/manifests/{name}.yaml', manifest(name, *args, **kwargs))

    def drop(self, name):
        os.unlink(self.host.path(f'/etc/kubernetes/manifests/{name}.yaml'))

    def pod(self, name):
        return self.podwatch.pods()[f'default/{name}-node1']

    def ready(self, *names):
        self.podwatch.wait_ready(*(f'default/{n}-node1' for n in names))

    def id(self, name):
        return self.pod(name)['status']['containerStatuses'][0]['containerID'].removeprefix('docker://')

    def inside(self, name, script):
        return self.host.docker.exec(self.id(name), 'sh', '-c', script)

    def inspect(self, name):
        return self.host.docker.inspect(self.id(name))

    def waits(self, name):
        waiting = self.pod(name)['status']['containerStatuses'][0]['state'].get('waiting', {})
        return f"{waiting.get('reason')}: {waiting.get('message')}"

    def held(self, name):
        status = self.pod(name)['status']
        return f"{status.get('reason')}: {status.get('message')}"


def setup():
    state = State()
    state.host = Host('security')
    state.host.docker.make_busybox()
    state.host.write('/var/lib/kubelet/seccomp/profiles/no-chmod.json', json.dumps(PROFILE))
    state.host.write(PODWATCH_CONFIG, PODWATCH_YAML + 'allowedUnsafeSysctls: ["kernel.msg*"]\nmaxPods: 30\n')
    state.podwatch = Podwatch(state.host).start()
    return state


def test_users_and_groups(state):
    volume = {'volumes': [{'name': 'v', 'emptyDir': {}}]}
    mount = {'volumeMounts': [{'name': 'v', 'mountPath': '/v'}]}
    state.put('user', {'runAsUser': 1234, 'runAsGroup': 2345}, mount, securityContext={
        'runAsUser': 1, 'runAsNonRoot': True, 'fsGroup': 3456, 'supplementalGroups': [4567]}, **volume)
    state.put('root', None, None, securityContext={'runAsNonRoot': True})
    state.put('zero', {'runAsUser': 0}, None, securityContext={'runAsNonRoot': True})
    state.ready('user')
    text = state.inside('user', 'id -u; id -g; id -G; stat -c "%a %g" /v; touch /v/x; stat -c %g /v/x; grep Groups /proc/1/status')
    assert text.split('\n')[:2] == ['1234', '2345'] and {'2345', '3456', '4567'} == set(text.split('\n')[2].split()), text
    assert '\n2777 3456\n3456\n' in text, text
    wait_for(lambda: state.waits('root').startswith('CreateContainerConfigError') and 'runs as root' in state.waits('root'), 10, 'the refusal')
    wait_for(lambda: 'runAsUser is 0' in state.waits('zero'), 10, 'the refusal')
    state.drop('root')
    state.drop('zero')


def test_capabilities_and_privileges(state):
    state.put('caps', {'capabilities': {'add': ['NET_ADMIN'], 'drop': ['CHOWN']}, 'allowPrivilegeEscalation': False, 'readOnlyRootFilesystem': True})
    state.put('privileged', {'privileged': True})
    state.ready('caps', 'privileged')
    text = state.inside('caps', 'touch /x; grep -E "CapEff|NoNewPrivs" /proc/self/status')
    assert 'Read-only file system' in text and 'NoNewPrivs:\t1' in text, text
    bits = int(text.split('CapEff:')[1].split()[0], 16)
    assert bits >> 12 & 1 and not bits & 1, text
    assert 'CapEff:\t00000' in state.inside('privileged', 'grep CapEff /proc/self/status') and state.inspect('privileged')['HostConfig']['Privileged']


def test_seccomp(state):
    state.put('default', {'seccompProfile': {'type': 'RuntimeDefault'}})
    state.put('local', {'seccompProfile': {'type': 'Localhost', 'localhostProfile': 'profiles/no-chmod.json'}})
    state.put('none', {'seccompProfile': {'type': 'Unconfined'}})
    state.put('missing', {'seccompProfile': {'type': 'Localhost', 'localhostProfile': 'profiles/none.json'}})
    state.ready('default', 'local', 'none')
    modes = {n: state.inside(n, 'grep Seccomp: /proc/self/status').split()[-1] for n in ('default', 'local', 'none')}
    assert modes == {'default': '2', 'local': '2', 'none': '0'}, modes
    assert 'not permitted' in state.inside('local', 'chmod 700 /tmp') and state.inside('default', 'chmod 700 /tmp') == ''
    wait_for(lambda: 'seccomp profile' in state.waits('missing'), 10, 'the missing profile to be told')
    state.host.write('/var/lib/kubelet/seccomp/profiles/none.json', json.dumps(PROFILE))
    state.ready('missing')


def test_selinux_and_app_armor(state):
    """This machine enforces neither; Docker is told all the same, and a profile that cannot be enforced holds the pod."""
    state.put('labels', {'seLinuxOptions': {'type': 'spc_t'}, 'appArmorProfile': {'type': 'Unconfined'}}, None, securityContext={
        'seLinuxOptions': {'level': 's0:c1'}})
    state.put('armor', {'appArmorProfile': {'type': 'Localhost', 'localhostProfile': 'mine'}})
    state.ready('labels')
    options = state.inspect('labels')['HostConfig']['SecurityOpt']
    assert 'label=type:spc_t' in options and 'apparmor=unconfined' in options and 'label=level:s0:c1' not in options, options
    if 'name=apparmor' not in json.dumps(state.host.docker.request('GET', '/info')['SecurityOptions']):
        wait_for(lambda: state.held('armor') == 'AppArmor: Cannot enforce AppArmor: AppArmor is not enabled on the host', 10, 'the wait')
        assert 'Running' not in state.pod('armor')['status']['phase']
    state.drop('armor')


def test_sysctls(state):
    state.put('safe', None, None, securityContext={'sysctls': [{'name': 'net.ipv4.ip_unprivileged_port_start', 'value': '80'},
                                                               {'name': 'kernel.msgmax', 'value': '65536'}]})
    state.put('unsafe', None, None, securityContext={'sysctls': [{'name': 'net.core.somaxconn', 'value': '1024'}]})
    state.ready('safe')
    assert state.inside('safe', 'cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/msgmax') == '80\n65536\n'
    wait_for(lambda: state.held('unsafe') == 'SysctlForbidden: forbidden sysctl: "net.core.somaxconn" not allowlisted', 10, 'the wait')
    assert 'SysctlForbidden' in state.podwatch.command('status').stdout
    state.drop('unsafe')


def test_host_namespaces(state):
    state.put('hostpid', None, None, hostPID=True, hostIPC=True, hostNetwork=True)
    state.put('own')
    state.ready('hostpid', 'own')
    def namespaces(pid):
        return {n: os.readlink(f'/proc/{pid}/ns/{n}') for n in ('pid', 'ipc', 'net', 'uts')}
    host, inside = namespaces(state.podwatch.pid), namespaces(state.inspect('hostpid')['State']['Pid'])
    own = namespaces(state.inspect('own')['State']['Pid'])
    assert inside == host, (inside, host)
    assert all(own[n] != host[n] for n in own), (own, host)


def test_qos_cgroups_and_oom_scores(state):
    """The tree, shares and limits by QoS class under Docker's cgroupfs driver and cgroup v1, as this machine has them."""
    def resources(**r):
        return {'resources': r}
    state.put('guaranteed', None, resources(limits={'cpu': '250m', 'memory': '64Mi'}))
    state.put('burstable', None, resources(requests={'cpu': '100m', 'memory': '32Mi'}))
    state.put('besteffort')
    state.ready('guaranteed', 'burstable', 'besteffort')
    info = state.host.docker.request('GET', '/info')
    assert (info['CgroupDriver'], info['CgroupVersion']) == ('cgroupfs', '1'), info['CgroupDriver']
    def cgroup(name, controller):
        with open(f"/proc/{state.inspect(name)['State']['Pid']}/cgroup") as f:
            path = next(line.split(':', 2)[2].strip() for line in f if controller in line.split(':')[1].split(','))
        return path, os.path.dirname(path)
    def value(name, controller, file):
        return int(state.host.output('cat', f'/sys/fs/cgroup/{controller}/kubepods{cgroup(name, controller)[1].split("kubepods")[1]}/{file}'))
    for name, middle in (('guaranteed', ''), ('burstable', '/burstable'), ('besteffort', '/besteffort')):
        uid = state.pod(name)['metadata']['uid']
        assert cgroup(name, 'memory')[1].endswith(f'/kubepods{middle}/pod{uid}'), cgroup(name, 'memory')
        assert state.pod(name)['status']['qosClass'].lower() == name
    assert [value(n, 'cpu', 'cpu.shares') for n in ('guaranteed', 'burstable', 'besteffort')] == [256, 102, 2]
    # Classes beside each other and beside a guaranteed pod: what burstable pods ask for together, and the least there is.
    def shares_of_class(name):
        return int(state.host.output('cat', f'/sys/fs/cgroup/cpu/kubepods{os.path.dirname(cgroup(name, "cpu")[1]).split("kubepods")[1]}/cpu.shares'))
    asked = sum(int(c['resources']['requests'].get('cpu', '0m')[:-1]) for p in state.podwatch.pods().values()
                if p['status'].get('qosClass') == 'Burstable' for c in p['spec']['containers'])
    assert asked >= 100, asked
    wait_for(lambda: shares_of_class('burstable') == asked * 1024 // 1000, 10, f'the share of {asked} thousandths')
    assert shares_of_class('besteffort') == 2
    assert value('guaranteed', 'cpu', 'cpu.cfs_quota_us') == 25000 and value('guaranteed', 'memory', 'memory.limit_in_bytes') == 64 << 20
    assert state.inspect('guaranteed')['HostConfig']['CpuShares'] == 256 and state.inspect('guaranteed')['HostConfig']['Memory'] == 64 << 20
    scores = {n: state.inspect(n)['HostConfig']['OomScoreAdj'] for n in ('guaranteed', 'burstable', 'besteffort')}
    refused = state.podwatch.status()["docker"]["refusesOomScore"]
    assert scores['guaranteed'] == (0 if refused else -997) and 2 < scores['burstable'] < 1000 and scores['besteffort'] == 1000, scores
    assert state.podwatch.log_text().count('oom_score_adj') == (1 if refused else 0), 'one warning where the host refuses'


def test_no_room_holds_a_pod_until_there_is(state):
    cpus = os.cpu_count() * 1000
    state.put('large', None, {'resources': {'requests': {'cpu': f'{cpus - 400}m'}}})
    state.ready('large')
    state.put('second', None, {'resources': {'requests': {'cpu': '300m'}}})
    wait_for(lambda: state.held('second').startswith("OutOfcpu: Node didn't have enough resource: cpu, requested: 300, used: "), 10, 'the wait')
    assert "enough resource: cpu" in state.podwatch.command('status').stdout
    assert any('OutOfcpu' in json.dumps(e) for e in json.loads(state.podwatch.api('/events')[1])['items'])
    state.drop('large')
    state.ready('second')


def test_host_port_holds_a_pod_until_it_is_free(state):
    ports = {'ports': [{'containerPort': 80, 'hostPort': 18181}]}
    state.put('porta', None, ports)
    state.ready('porta')
    state.put('portb', None, ports)
    wait_for(lambda: state.held('portb') == 'HostPortConflict: port 18181/TCP of the node is in use by pod default/porta-node1', 10, 'the wait')
    state.drop('porta')
    state.ready('portb')

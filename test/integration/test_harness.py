# SPDX-License-Identifier: Apache-2.0
"""The test host itself: what the other integration tests rely on."""
import os
import signal
import subprocess
import sys
import time

from harness import Host, cgroups_named, cleanup_stale, hold, netns_list, slower, start_time, states, wait_for


def setup():
    host = Host('harness')
    host.docker.make_busybox()
    return host


def test_network_is_the_hosts_own(host):
    links = host.output('ip', '-o', 'link').splitlines()
    assert sorted(line.split()[1].strip(':') for line in links) == ['docker0', 'lo', 'node0'], links
    assert host.node_address in host.output('ip', '-4', 'address', 'show', 'dev', 'node0')
    assert 'default via 10.88.0.1 dev node0' in host.output('ip', 'route')
    assert host.output('ls', '/sys/class/net').split() == ['docker0', 'lo', 'node0']
    assert host.output('hostname').strip() == 'node1'


def test_directories_are_the_hosts_own(host):
    host.write('/etc/kubernetes/manifests/a.yaml', 'one\n', 0o600)
    assert host.read('/etc/kubernetes/manifests/a.yaml') == 'one\n'
    assert not os.path.exists('/etc/kubernetes/manifests/a.yaml')
    host.output('rm', '-r', '/etc/kubernetes/manifests')
    assert not os.path.exists(host.path('/etc/kubernetes/manifests'))


def test_machines_docker_is_out_of_reach(host):
    machine = host.run(['docker', '-H', 'unix:///var/run/docker.sock', 'info', '-f', '{{.Name}} {{.LiveRestoreEnabled}}'])
    assert machine.stdout.split() == ['node1', 'true'], machine.stdout


def test_container_lies_in_the_hosts_control_group(host):
    container = host.docker.run('in-group', ['sleep', '1000'], host_config={'CgroupParent': '/kubepods/podx', 'Memory': 64 << 20})
    pid = host.docker.inspect(container)['State']['Pid']
    assert pid in host.cgroups.pids()
    with open(f'/proc/{pid}/cgroup') as f:
        assert all(f'/{host.name}/kubepods/podx/' in line for line in f if 'rdma' not in line)
    assert 'kubepods/podx' in host.read(f'/proc/{pid}/cgroup')
    host.docker.remove(container)


def test_mounts_made_later_reach_containers(host):
    """As podwatch makes a tmpfs for a pod that dockerd must see."""
    host.output('mkdir', '-p', '/var/lib/kubelet/pods/u/volumes/v')
    host.output('mount', '-t', 'tmpfs', 'tmpfs', '/var/lib/kubelet/pods/u/volumes/v')
    host.output('sh', '-c', 'echo inside > /var/lib/kubelet/pods/u/volumes/v/f')
    binds = {'Binds': ['/var/lib/kubelet/pods/u/volumes/v:/v']}
    container = host.docker.run('reads-tmpfs', ['cat', '/v/f'], host_config=binds)
    assert host.docker.wait(container) == 0
    assert host.docker.logs(container) == 'inside\n'
    shared = host.docker.run('shared', ['sleep', '1000'], host_config={'Binds': ['/var/lib/kubelet:/k:rshared']})
    host.output('mkdir', '-p', '/var/lib/kubelet/late')
    host.output('mount', '-t', 'tmpfs', '-o', 'size=1m', 'late', '/var/lib/kubelet/late')
    pid = host.docker.inspect(shared)['State']['Pid']
    with open(f'/proc/{pid}/mountinfo') as f:
        assert ' /k/late ' in f.read()
    with open('/proc/self/mountinfo') as f:
        assert host.directory not in f.read(), 'a mount of the host shows on the machine'
    for name in (container, shared):
        host.docker.remove(name)
    host.output('umount', '/var/lib/kubelet/late', '/var/lib/kubelet/pods/u/volumes/v')


def test_privileged_container_runs(host):
    container = host.docker.run('mighty', ['sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward && grep CapEff /proc/self/status'],
                                host_config={'Privileged': True})
    assert host.docker.wait(container) == 0, host.docker.logs(container)
    with open('/proc/self/status') as f:
        bounding = next(line for line in f if line.startswith('CapBnd:')).split()[1]
    effective, sys_admin = int(host.docker.logs(container).split()[1], 16), 1 << 21
    assert effective & ~int(bounding, 16) == 0 and effective & sys_admin, hex(effective)
    host.docker.remove(container)


def test_command_failure_shows_what_was_said(host):
    try:
        host.run(['sh', '-c', 'echo out; echo err >&2; exit 3'])
    except AssertionError as e:
        assert 'exit 3' in str(e) and 'out' in str(e) and 'err' in str(e), e
    else:
        raise AssertionError('a failing command passed')
    assert host.run(['false'], check=False).returncode == 1
    assert host.run(['cat'], input='text').stdout == 'text'
    try:
        host.run(['sleep', '100'], timeout=0.3)
    except AssertionError as e:
        assert 'no end after 0.3 s' in str(e), e
    else:
        raise AssertionError('a command without end passed')


def test_process_id_is_the_programs(host):
    process = host.popen(['sleep', '1000'])
    with open(f'/proc/{process.pid}/comm') as f:
        wait_for(lambda: f.seek(0) == 0 and f.read().strip() == 'sleep', 5, 'the program to be executed', 0.01)
    process.kill()
    assert process.wait(5) == -signal.SIGKILL


def test_containers_outlive_dockerd(host):
    events = host.record_events(type=['container'])
    container = host.docker.run('survivor', ['sh', '-c', 'while :; do date +%s.%N; sleep 0.2; done'])
    victim = host.docker.run('victim', ['sleep', '1000'])
    before = host.docker.inspect(container)['State']
    assert before['Running']
    host.docker_kill()
    assert not host.docker.answers()
    hold(lambda: start_time(before['Pid']) is not None, 1, 'the container lives without dockerd')
    os.kill(host_pid(host, 'sleep 1000'), signal.SIGKILL)
    host.docker_start()
    after = host.docker.inspect(container)['State']
    assert (after['Pid'], after['StartedAt']) == (before['Pid'], before['StartedAt']), (before, after)
    assert after['Running']
    assert not host.docker.inspect(victim)['State']['Running']
    host.docker.kill(container)
    died = events.wait('die', 'survivor')
    assert died['Actor']['Attributes']['exitCode'] == '137', died
    assert events.find('create', 'survivor') and events.find('start', 'survivor')


def host_pid(host, command):
    for pid in host.cgroups.pids():
        with open(f'/proc/{pid}/cmdline', 'rb') as f:
            if f.read().rstrip(b'\0').replace(b'\0', b' ').decode() == command:
                return pid
    raise AssertionError(f'no process {command}')


def test_dockerd_stops_and_starts_in_order(host):
    container = host.docker.run('keeps', ['sleep', '1000'])
    before = host.docker.inspect(container)['State']
    host.docker_stop()
    assert start_time(before['Pid']) is not None
    host.docker_start()
    assert host.docker.inspect(container)['State']['Pid'] == before['Pid']


def test_artefacts_tell_what_was_there(host):
    directory = f'{host.directory}/artefacts'
    host.write('/etc/kubernetes/manifests/a.yaml', 'one\n')
    container = host.docker.run('speaks', ['echo', 'words of the container'])
    host.docker.wait(container)
    host.artefacts(directory)
    found = os.listdir(directory)
    assert {'log', 'manifests', 'containers.txt', 'processes.txt', 'mountinfo.txt', 'speaks.log', 'speaks.json'} <= set(found), found
    with open(f'{directory}/speaks.log') as f:
        assert f.read() == 'words of the container\n'


def children(pid):
    with open(f'/proc/{pid}/task/{pid}/children') as f:
        return f.read().split()


def test_nothing_is_left():
    host = Host('ends')
    host.docker.make_busybox()
    host.docker.run('paused', ['sleep', '1000'])
    host.docker.request('POST', '/containers/paused/pause')
    host.docker.run('runs', ['sleep', '1000'])
    host.output('mount', '-t', 'tmpfs', 'tmpfs', '/var/lib/kubelet')
    stray = host.popen(['sh', '-c', 'trap "" TERM; sleep 1000 & sleep 1000'])
    # Its shell has made its two children, and there are the shims and what runs under them.
    wait_for(lambda: len(children(stray.pid)) == 2, 5, 'the children of the stray')
    host.docker_kill()
    pids = {pid: start_time(pid) for pid in host.cgroups.pids()}
    assert stray.pid in pids and len(pids) >= 6, pids
    host.close()
    stray.wait(5)
    assert_gone(host.name, host.directory, pids)


def test_reaper_leaves_children_their_status():
    """A child that ends while nobody waits for it is not taken for an orphan: its status is still there when asked for."""
    with Host('status', docker=False) as host:
        children = [host.popen(['sh', '-c', f'exit {i}']) for i in range(1, 31)]
        time.sleep(0.5)
        assert [child.wait(10) for child in children] == list(range(1, 31))


def test_sanitizer_report_fails_the_host():
    host = Host('report', docker=False)
    with open(f'{host.logs}/podwatch.log', 'w') as f:
        f.write('fine\n==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x1\n    #0 0x2 in main\n')
    try:
        host.close()
    except AssertionError as e:
        assert 'heap-use-after-free' in str(e) and '#0 0x2 in main' in str(e), e
    else:
        raise AssertionError('the report was passed over')
    assert host.name not in netns_list()


def test_killed_run_is_cleaned_up():
    """A process makes a host, runs containers in it and is killed; the next run takes all of it away, and nothing else."""
    script = ('import sys, time; sys.path.insert(0, sys.argv[1])\n'
              'from harness import Host\n'
              'h = Host("killed"); h.docker.make_busybox(); h.docker.run("left", ["sleep", "1000"])\n'
              'print(h.name, h.directory, flush=True); time.sleep(1000)\n')
    other = Host('stays', docker=False)
    here = os.path.dirname(os.path.abspath(__file__))
    process = subprocess.Popen([sys.executable, '-c', script, here], stdout=subprocess.PIPE, text=True)
    name, directory = process.stdout.readline().split()
    process.kill()
    process.wait()
    process.stdout.close()
    assert name in netns_list() and name in states()
    pids = {pid: start_time(pid) for pid in cgroups_named(name)}
    assert len(pids) >= 4, pids
    assert name in cleanup_stale()
    assert_gone(name, directory, pids)
    assert other.name in netns_list() and other.output('true') == ''
    other.close()


def assert_gone(name, directory, pids):
    assert name not in netns_list()
    assert name not in states()
    left = {pid for pid, started in pids.items() if start_time(pid) == started}
    assert not left, left
    assert not cgroups_named(name)
    assert not os.path.exists(directory)
    for mountinfo in ('/proc/self/mountinfo', '/proc/1/mountinfo'):
        with open(mountinfo) as f:
            assert name not in f.read()
    for top, directories, _ in os.walk('/sys/fs/cgroup'):
        assert name not in directories, f'{top}/{name}'


def test_waits_report_what_they_saw():
    start = time.monotonic()
    try:
        wait_for(lambda: 0, 0.2, 'the impossible')
    except AssertionError as e:
        assert 'the impossible' in str(e) and 'last seen: 0' in str(e), e
    else:
        raise AssertionError('an untrue condition passed')
    took = time.monotonic() - start
    assert 0.2 <= took < 2 * slower(), took

# SPDX-License-Identifier: Apache-2.0
"""A test host: what a node is to podwatch, in namespaces of its own on the machine that runs the tests.

A host has
  - a network namespace (`ip netns list` shows it, the name begins with `pwt-`) with the loopback up and a bridge that carries the
    node's address and the default route;
  - a mount namespace in which the directories of PRIVATE are empty ones of this host, bound from its temporary directory, /run
    with the Docker socket among them, so that nothing in it can reach the machine's own daemon or state;
  - a control group of its own in every hierarchy, as the root of a cgroup namespace (cgroups.py), and a host name of its own;
  - a dockerd in all of these, with the default paths. Since dockerd, podwatch and the commands of a test share one mount
    namespace, what one mounts the others see; it is shared within and takes mounts from outside, but gives none back.

Process ids are the machine's: what Docker says about a container's process can be looked up in /proc.

At the end every process in the control group is killed, and with the last of them the mounts go; then the groups, the network
namespace and the directory. What a host consists of is written to /run/pwt/NAME.json before it is made, so that cleanup_stale()
can do the same for a run that was killed. It does it only where the process that made the host is gone.
"""
import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import bounded
import reaper
from cgroups import CgroupTree, is_zombie, mount_script
from docker_api import Docker
from waiting import wait_for

PREFIX = 'pwt-'
STATE = '/run/pwt'
NODE_ADDRESS = '10.88.0.2'

# Directories that are this host's own. /run comes last, since it hides what else lies below it.
PRIVATE = ['/etc/kubernetes', '/etc/docker', '/etc/cni', '/opt/cni', '/var/lib/etcd', '/var/lib/kubelet', '/var/lib/podwatch',
           '/var/lib/docker', '/var/lib/containerd', '/var/log/pods', '/var/log/containers', '/usr/libexec/kubernetes', '/run']

SEARCH_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
SANITIZER_REPORT = re.compile(r'ERROR: (Address|Leak|Undefined\w*)Sanitizer|^\S+:\d+:\d+: runtime error: ')

JOIN = 'while [ "$1" != -- ]; do echo 0 > "$1/cgroup.procs" || exit 125; shift; done; shift; exec "$@"'


def boot_id():
    with open('/proc/sys/kernel/random/boot_id') as f:
        return f.read().strip()


def start_time(pid):
    """When a process started, in ticks since boot; None where there is no such process."""
    try:
        with open(f'/proc/{pid}/stat') as f:
            return None if is_zombie(pid) else int(f.read().rpartition(')')[2].split()[19])
    except OSError:
        return None


@contextlib.contextmanager
def state_lock():
    os.makedirs(STATE, exist_ok=True)
    with open(f'{STATE}/lock', 'w') as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        yield


def states():
    """The recorded hosts: name to record."""
    found = {}
    for entry in os.listdir(STATE) if os.path.isdir(STATE) else []:
        if entry.startswith(PREFIX) and entry.endswith('.json'):
            try:
                with open(f'{STATE}/{entry}') as f:
                    found[entry[:-len('.json')]] = json.load(f)
            except (OSError, ValueError) as e:
                print(f'harness: {STATE}/{entry}: {e}', file=sys.stderr)
    return found


def write_state(name, record):
    with open(f'{STATE}/{name}.new', 'w') as f:
        json.dump(record, f, indent=1)
    os.rename(f'{STATE}/{name}.new', f'{STATE}/{name}.json')


def netns_list():
    out = subprocess.run(['ip', 'netns', 'list'], capture_output=True, text=True, check=True).stdout
    return [line.split()[0] for line in out.splitlines() if line.startswith(PREFIX)]


def make_mountpoints(directories):
    """Create the mount points that the machine lacks, and remember them for drop_mountpoints(). Under the lock."""
    made = _mountpoints()
    for directory in directories:
        missing = []
        while not os.path.isdir(directory):
            missing.insert(0, directory)
            directory = os.path.dirname(directory)
        for path in missing:
            os.mkdir(path)
            made.append(path)
    with open(f'{STATE}/mountpoints', 'w') as f:
        f.write(''.join(path + '\n' for path in made))


def drop_mountpoints():
    """Remove the mount points that were made, as far as they are empty, once no host is left. Under the lock.

    Not earlier: to remove a directory that is a mount point in another mount namespace takes the mount there away.
    """
    if states():
        return
    for path in reversed(_mountpoints()):
        with contextlib.suppress(OSError):
            os.rmdir(path)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(f'{STATE}/mountpoints')


def _mountpoints():
    try:
        with open(f'{STATE}/mountpoints') as f:
            return f.read().split('\n')[:-1]
    except FileNotFoundError:
        return []


def remove_host(name, record):
    """Take away all that a record names; safe to repeat. Gives the list of what could not be removed."""
    problems = []
    reaper.watch(name)
    tree = CgroupTree(record['cgroups'], [])
    if record['boot'] == boot_id():
        problems += [f'process {pid} does not end' for pid in tree.kill()]
        problems += [f'control group {group} is busy' for group in tree.remove()]
        if name in netns_list():
            subprocess.run(['ip', 'netns', 'delete', name], check=True)
    shutil.rmtree(record['directory'], ignore_errors=True)
    if os.path.exists(record['directory']):
        problems.append(f"directory {record['directory']} is not empty")
    reaper.unwatch(name)
    if not problems:
        with state_lock():
            with contextlib.suppress(FileNotFoundError):
                os.unlink(f'{STATE}/{name}.json')
            drop_mountpoints()
    return problems


def cleanup_stale():
    """Take away hosts whose maker is gone, and namespaces of the prefix that belong to no record and hold no process."""
    removed = []
    for name, record in states().items():
        if record['boot'] == boot_id() and start_time(record['owner']) == record['owner_start']:
            continue
        for problem in remove_host(name, record):
            print(f'harness: {name}, left by an earlier run: {problem}', file=sys.stderr)
        removed.append(name)
    with state_lock():
        recorded = states()
        for name in netns_list():
            if name not in recorded and not subprocess.run(['ip', 'netns', 'pids', name], capture_output=True).stdout.strip():
                subprocess.run(['ip', 'netns', 'delete', name], check=False)
                removed.append(name)
        drop_mountpoints()
    return removed


class Host:
    """A test host; use it as a context manager.

    label          part of the name, so that a person can tell hosts apart
    node_address   the address on the bridge `node0`, with the default route through .1 of its /24
    private        further directories that are to be this host's own (/usr/local/bin, say)
    docker         whether to start dockerd at once
    dockerd_args   further arguments for it
    """

    live = []
    count = 0

    def __init__(self, label='test', *, node_address=NODE_ADDRESS, hostname='node1', private=(), docker=True, dockerd_args=()):
        Host.count += 1
        self.name = f'{PREFIX}{label}-{os.getpid()}-{Host.count}'
        self.node_address = node_address
        self.hostname = hostname
        self.dockerd_args = list(dockerd_args)
        self.within = []  # what runs commands in further namespaces of the host (nsenter); the process ids are its own then
        self.dockerd = None
        self.recorders = []
        self.closed = False
        self.directory = tempfile.mkdtemp(prefix=PREFIX)
        self.logs = f'{self.directory}/log'
        self.record = {'owner': os.getpid(), 'owner_start': start_time(os.getpid()), 'boot': boot_id(),
                       'directory': self.directory, 'cgroups': []}
        Host.live.append(self)
        try:
            self._create([*PRIVATE[:-1], *private, PRIVATE[-1]])
            self.docker = Docker(self.path('/run/docker.sock'))
            if docker:
                self.docker_start()
        except BaseException:
            self.close()
            raise

    def _create(self, private):
        root = f'{self.directory}/root'
        for directory in private:
            os.makedirs(root + directory)
        os.mkdir(self.logs)
        with open(f'{self.directory}/docker.json', 'w') as f:
            f.write('{}\n')
        self.search_path = bounded.install(f'{self.directory}/bin', SEARCH_PATH)
        with state_lock():
            make_mountpoints(private)
            write_state(self.name, self.record)
        self.cgroups = CgroupTree.create(self.name)
        self.record['cgroups'] = self.cgroups.groups
        write_state(self.name, self.record)
        reaper.watch(self.name)
        subprocess.run(['ip', 'netns', 'add', self.name], check=True)
        self._start_anchor(root, private)

    def _start_anchor(self, root, private):
        """Start the process that holds the mount, host name and cgroup namespaces, and set them up from within."""
        gateway = self.node_address.rpartition('.')[0] + '.1'
        script = '\n'.join([
            'set -eu',
            'mount --make-rshared /',
            'umount -R /sys',
            *mount_script(),
            *(f'mount --bind {root}{directory} {directory}' for directory in private),
            f'hostname {self.hostname}',
            'ip link set lo up',
            'ip link add node0 type bridge',
            f'ip address add {self.node_address}/24 dev node0',
            'ip link set node0 up',
            f'ip route add default via {gateway} dev node0',
            'touch /run/.ready',
            'exec sleep infinity'])
        log = f'{self.logs}/anchor.log'
        with open(log, 'w') as f:
            self.anchor = reaper.spawn(
                ['sh', '-c', JOIN, 'sh', *self.cgroups.groups, '--', 'nsenter', f'--net=/run/netns/{self.name}', 'unshare', '--mount',
                 '--uts', '--cgroup', '--propagation', 'slave', 'sh', '-c', script],
                stdin=subprocess.DEVNULL, stdout=f, stderr=subprocess.STDOUT, cwd='/', start_new_session=True)

        def ready():
            if self.anchor.poll() is not None:
                with open(log) as f:
                    raise RuntimeError(f'the host {self.name} could not be set up: {f.read()}')
            return os.path.exists(f'{root}/run/.ready')
        while not ready():
            time.sleep(0.01)
        os.unlink(f'{root}/run/.ready')

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    # Commands inside

    @property
    def env(self):
        """The environment of commands inside: nothing of the machine's Docker settings; what steers sanitizers goes through."""
        sanitizers = {k: v for k, v in os.environ.items() if k.endswith('SAN_OPTIONS')}
        return {**sanitizers, 'PATH': self.search_path, 'HOME': '/root', 'LANG': 'C.UTF-8',
                'DOCKER_HOST': 'unix:///run/docker.sock', 'TERM': 'dumb'}

    def _argv(self, command, cwd='/'):
        """The command line that runs `command` inside. It execs all the way, so the process id stays that of the first program.

        For popen() alone: the reaper takes a child that was started here in another way for an orphan.
        """
        ns = f'/proc/{self.anchor.pid}/ns'
        return ['sh', '-c', JOIN, 'sh', *self.cgroups.joins, '--', 'nsenter', f'--net={ns}/net', f'--mount={ns}/mnt',
                f'--uts={ns}/uts', f'--cgroup={ns}/cgroup', f'--wdns={cwd}', '--', *self.within, *map(str, command)]

    def popen(self, command, *, cwd='/', env=None, **kwargs):
        """Start a command inside; .pid of the result is the program's own."""
        kwargs.setdefault('stdin', subprocess.DEVNULL)
        return reaper.spawn(self._argv(command, cwd), env={**self.env, **(env or {})}, cwd='/', start_new_session=True, **kwargs)

    def run(self, command, *, check=True, timeout=60, input=None, cwd='/', env=None):
        """Run a command inside to its end; gives the completed process with text output.

        With `check` a status other than 0 is an AssertionError that shows what the command said.
        """
        process = self.popen(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL if input is None else subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors='replace')
        try:
            out, err = process.communicate(input, timeout)
        except BaseException as e:
            process.kill()
            out, err = process.communicate()
            if isinstance(e, subprocess.TimeoutExpired):
                raise AssertionError(f'{shown(command)}: no end after {timeout} s: {said(out, err)}') from None
            raise
        if check and process.returncode != 0:
            raise AssertionError(f'{shown(command)}: exit {process.returncode}: {said(out, err)}')
        return subprocess.CompletedProcess(command, process.returncode, out, err)

    def output(self, *command, **kwargs):
        """The standard output of a command run inside."""
        return self.run(command, **kwargs).stdout

    # Files inside

    def path(self, path):
        """The name under which a file of the host is reached from outside; absolute links in it would lead astray."""
        return f'/proc/{self.anchor.pid}/root{path}'

    def read(self, path):
        return self.run(['cat', path]).stdout

    def write(self, path, text, mode=0o644):
        """Write a file below one of the private directories, whole: it is made elsewhere and renamed to its name."""
        staging, target = f'{self.directory}/staging', f'{self.directory}/root{path}'
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(staging, 'wb') as f:
            os.fchmod(f.fileno(), mode)
            f.write(text.encode() if isinstance(text, str) else text)
        os.rename(staging, target)

    # The Docker daemon

    def docker_start(self, wait=True, timeout=60):
        """Start dockerd; the same again after docker_kill() or docker_stop()."""
        if self.dockerd is not None and self.dockerd.poll() is None:
            raise RuntimeError('dockerd is running already')
        with open(f'{self.logs}/dockerd.log', 'a') as log:
            self.dockerd = self.popen(
                ['dockerd', '--config-file', f'{self.directory}/docker.json', '--data-root', '/var/lib/docker', '--exec-root',
                 '/run/docker', '--pidfile', '/run/docker.pid', '-H', 'unix:///run/docker.sock', '--storage-driver', 'overlay2',
                 '--live-restore', *self.dockerd_args], stdout=log, stderr=subprocess.STDOUT)
        if wait:
            self.docker_wait(timeout)

    def docker_wait(self, timeout=60):
        def up():
            if self.dockerd.poll() is not None:
                return True
            return self.docker.answers()
        wait_for(up, timeout, f'dockerd of {self.name} to answer (log: {self.logs}/dockerd.log)')
        if self.dockerd.poll() is not None:
            raise RuntimeError(f"dockerd ended with {self.dockerd.returncode}: {tail(f'{self.logs}/dockerd.log', 20)}")

    def docker_kill(self):
        """kill -9 of dockerd. Its containerd dies with it; the containers go on under their shims (live-restore)."""
        self.dockerd.kill()
        self.dockerd.wait(10)

    def docker_stop(self, timeout=60):
        """Stop dockerd in order; the containers go on."""
        self.dockerd.send_signal(signal.SIGTERM)
        self.dockerd.wait(timeout)

    def record_events(self, **filters):
        """Record the daemon's events from now on; closed with the host."""
        recorder = self.docker.record_events(**filters)
        self.recorders.append(recorder)
        return recorder

    # Ends

    def artefacts(self, directory):
        """Put what explains a failure into `directory`: logs, containers, events, manifests. Never raises."""
        os.makedirs(directory, exist_ok=True)
        steps = {
            'logs': lambda: shutil.copytree(self.logs, f'{directory}/log', dirs_exist_ok=True),
            'processes': lambda: _save(f'{directory}/processes.txt', _processes(self.cgroups.pids())),
            'mounts': lambda: _save(f'{directory}/mountinfo.txt', self.read('/proc/self/mountinfo')),
            'manifests': lambda: shutil.copytree(f'{self.directory}/root/etc/kubernetes/manifests', f'{directory}/manifests',
                                                 symlinks=True, dirs_exist_ok=True),
            'events': lambda: [r.dump(f'{directory}/events-{i}.jsonl') for i, r in enumerate(self.recorders)],
            'containers': lambda: self._save_containers(directory)}
        for what, step in steps.items():
            try:
                step()
            except Exception as e:  # noqa: BLE001 - an artefact that cannot be had must not hide the failure itself
                _save(f'{directory}/missing-{what}.txt', f'{type(e).__name__}: {e}\n')

    def _save_containers(self, directory):
        containers = self.docker.containers()
        lines = [f"{c['Id'][:12]} {c['State']:10} {c['Status']:30} {c['Names'][0]}" for c in containers]
        _save(f'{directory}/containers.txt', '\n'.join(lines) + '\n')
        for c in containers:
            base = f"{directory}/{c['Names'][0].strip('/')[:180]}"
            _save(base + '.json', json.dumps(self.docker.inspect(c['Id']), indent=1))
            _save(base + '.log', self.docker.logs(c['Id'], tail='500'))

    def close(self):
        """Take the host away, whole. Raises where something is left, naming it, and where a sanitizer spoke in a log."""
        if self.closed:
            return
        self.closed = True
        if os.environ.get('PWT_KEEP') and hasattr(self, 'anchor'):
            print(f'harness: kept {self.name}; enter it with: {" ".join(self._argv(["bash"])[-7:])}', file=sys.stderr)
            return
        Host.live.remove(self)
        reports = self.sanitizer_reports()
        for recorder in self.recorders:
            recorder.close()
        problems = remove_host(self.name, self.record)
        for process in (getattr(self, 'anchor', None), self.dockerd):
            if process is not None:
                process.wait(10)
        if problems:
            raise RuntimeError(f'{self.name} could not be taken away: ' + '; '.join(problems))
        if reports:
            raise AssertionError(f'a sanitizer spoke on {self.name}:\n{reports}')

    def sanitizer_reports(self):
        """What sanitizers wrote into the logs of the host's programs."""
        found = []
        for name in sorted(os.listdir(self.logs)) if os.path.isdir(self.logs) else []:
            with open(f'{self.logs}/{name}', errors='replace') as f:
                lines = f.read().splitlines()
            for i, line in enumerate(lines):
                if SANITIZER_REPORT.search(line):
                    found.append(f'{name}: ' + '\n'.join(lines[i:i + 40]))
        return '\n'.join(found[:3])


def shown(command):
    return ' '.join(map(str, command))


def said(out, err):
    return (out[-2000:] + err[-4000:]).strip()


def tail(path, lines):
    """The last lines of a text file."""
    try:
        with open(path, errors='replace') as f:
            return ''.join(f.readlines()[-lines:])
    except OSError as e:
        return str(e)


def _save(path, text):
    with open(path, 'w') as f:
        f.write(text)


def _processes(pids):
    lines = []
    for pid in sorted(pids):
        try:
            with open(f'/proc/{pid}/cmdline', 'rb') as f:
                lines.append(f'{pid} ' + f.read().replace(b'\0', b' ').decode(errors='replace'))
        except OSError:
            continue
    return '\n'.join(lines) + '\n'


if __name__ == '__main__':
    for removed_name in cleanup_stale():
        print(f'took away {removed_name}, left by an earlier run')

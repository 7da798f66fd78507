# SPDX-License-Identifier: Apache-2.0
"""The control groups of one test host.

Everything that a test host starts, its Docker daemon and their containers included, lives below one group of ours in every
hierarchy. The host's processes see that group as the root (a cgroup namespace), so container paths look as on a real node, two
hosts do not meet, and what is to be ended at the end is exactly what is in the group: membership is the proof of ownership.

A version 1 group lies below the group of the test itself. With version 2 alone it lies below the root, because a group with
processes of its own cannot hand controllers down; for the same reason the host's first process moves into a leaf `init` once it
has made its group the root, and what is started later joins it there.
"""
import collections
import errno
import os
import signal
import time

LEAF = 'init'  # where processes live in a version 2 group
Hierarchy = collections.namedtuple('Hierarchy', 'mountpoint fstype options')


def hierarchies():
    """Every mounted cgroup hierarchy of this machine; the topmost mount where several lie on one path."""
    found = {}
    with open('/proc/self/mountinfo') as f:
        for line in f:
            left, right = line.rstrip('\n').split(' - ', 1)
            fstype, _, super_options = right.split(' ')[:3]
            if fstype in ('cgroup', 'cgroup2'):
                options = [o for o in super_options.split(',') if o not in ('rw', 'ro')]
                found[left.split(' ')[4]] = (fstype, options, left.split(' ')[3])
    return {Hierarchy(path, fstype, tuple(options)): root for path, (fstype, options, root) in found.items()}


def only_version_2():
    return all(h.fstype == 'cgroup2' for h in hierarchies())


def _own_paths():
    """The controller list of each hierarchy (as in /proc/self/cgroup) to the path of this process in it."""
    with open('/proc/self/cgroup') as f:
        return {frozenset(fields[1].split(',')) if fields[1] else frozenset(): fields[2]
                for fields in (line.rstrip('\n').split(':', 2) for line in f)}


def _own_group(hierarchy, root, own):
    """The directory of this process's group in a version 1 hierarchy."""
    for controllers, path in own.items():
        if controllers and controllers <= set(hierarchy.options):
            return os.path.normpath(os.path.join(hierarchy.mountpoint, os.path.relpath(path, root)))
    return hierarchy.mountpoint


def _read(path):
    with open(path) as f:
        return f.read()


def _write(path, text):
    with open(path, 'w') as f:
        f.write(text)


def is_zombie(pid):
    try:
        return _read(f'/proc/{pid}/stat').rpartition(')')[2].split()[0] in ('Z', 'X')
    except OSError:
        return True


class CgroupTree:
    """The groups called `name`, one in each hierarchy."""

    def __init__(self, groups, joins):
        self.groups = groups  # directories, the tops; the host's first process enters these
        self.joins = joins    # directories that every later process enters

    @classmethod
    def create(cls, name):
        groups, joins = [], []
        own = _own_paths()
        for hierarchy, root in hierarchies().items():
            if hierarchy.fstype == 'cgroup2':
                group = os.path.join(hierarchy.mountpoint, name)
            else:
                group = os.path.join(_own_group(hierarchy, root, own), name)
            os.mkdir(group)
            groups.append(group)
            joins.append(group)
            if 'cpuset' in hierarchy.options:
                for knob in ('cpuset.cpus', 'cpuset.mems'):
                    _write(f'{group}/{knob}', _read(f'{os.path.dirname(group)}/{knob}'))
                _write(f'{group}/cgroup.clone_children', '1')
            if only_version_2():
                os.mkdir(f'{group}/{LEAF}')
                joins[-1] = f'{group}/{LEAF}'
                controllers = _read(f'{hierarchy.mountpoint}/cgroup.controllers').split()
                _write(f'{hierarchy.mountpoint}/cgroup.subtree_control', ' '.join('+' + c for c in controllers))
        return cls(groups, joins)

    def below(self):
        """All groups of the tree, children before parents."""
        for group in self.groups:
            for path, _, _ in os.walk(group, topdown=False):
                yield path

    def pids(self):
        """Process ids in the tree, zombies left out."""
        found = set()
        for group in self.below():
            try:
                found.update(int(pid) for pid in _read(f'{group}/cgroup.procs').split())
            except OSError:
                continue
        return {pid for pid in found if pid and not is_zombie(pid)}

    def kill(self, timeout=20):
        """End every process of the tree with SIGKILL; returns those that outlive the timeout."""
        deadline = time.monotonic() + timeout
        while True:
            for group in self.below():
                if os.path.exists(f'{group}/freezer.state'):
                    _write_quietly(f'{group}/freezer.state', 'THAWED')
            left = self.pids()
            if not left or time.monotonic() > deadline:
                return left
            for pid in left:
                self._kill_one(pid)
            time.sleep(0.02)

    def _has(self, pid):
        """Whether a process is in the tree, by its own word: to walk the tree for each of hundreds would take too long."""
        try:
            components = {part for line in _read(f'/proc/{pid}/cgroup').splitlines() for part in line.split('/')}
        except OSError:
            return False
        return not components.isdisjoint({os.path.basename(group) for group in self.groups})

    def _kill_one(self, pid):
        try:
            fd = os.pidfd_open(pid)
        except OSError:
            return
        try:
            # The descriptor is of whoever has the number now: ask again whether that one is in the tree.
            if self._has(pid):
                signal.pidfd_send_signal(fd, signal.SIGKILL)
        except ProcessLookupError:
            pass
        finally:
            os.close(fd)

    def remove(self, timeout=10):
        """Remove the groups; returns those that are still busy after the timeout."""
        deadline = time.monotonic() + timeout
        while True:
            for group in list(self.below()):
                try:
                    os.rmdir(group)
                except FileNotFoundError:
                    pass
                except OSError as e:
                    if e.errno not in (errno.EBUSY, errno.ENOTEMPTY):
                        raise
            left = [g for g in self.groups if os.path.isdir(g)]
            if not left or time.monotonic() > deadline:
                return left
            time.sleep(0.05)


def cgroups_named(name):
    """The living processes in groups of this name, wherever in the hierarchies."""
    pids = set()
    for hierarchy in hierarchies():
        for path, _, _ in os.walk(hierarchy.mountpoint):
            if name in path.split('/'):
                pids |= CgroupTree([path], []).pids()
    return pids


def _write_quietly(path, text):
    try:
        _write(path, text)
    except OSError:
        pass


def mount_script():
    """Shell lines that mount the hierarchies anew, so that their roots are those of the cgroup namespace they run in."""
    lines = ['mount -t sysfs sysfs /sys']
    tops = sorted(hierarchies())
    if not any(h.mountpoint == '/sys/fs/cgroup' for h in tops):
        lines.append('mount -t tmpfs -o mode=755 cgroup /sys/fs/cgroup')
    for hierarchy in tops:
        if hierarchy.mountpoint != '/sys/fs/cgroup':
            lines.append(f'mkdir -p {hierarchy.mountpoint}')
        if hierarchy.fstype == 'cgroup2':
            lines.append(f'mount -t cgroup2 cgroup2 {hierarchy.mountpoint}')
        else:
            named = any(o.startswith('name=') for o in hierarchy.options)
            options = [o for o in hierarchy.options if not o.startswith('release_agent=')]
            lines.append(f'mount -t cgroup -o {"none," if named else ""}{",".join(options)} cgroup {hierarchy.mountpoint}')
    for entry in sorted(os.scandir('/sys/fs/cgroup'), key=lambda e: e.name):
        if entry.is_symlink():
            lines.append(f'ln -s {os.readlink(entry.path)} {entry.path}')
    if only_version_2():
        lines += [f'echo 0 > /sys/fs/cgroup/{LEAF}/cgroup.procs',
                  'sed "s/[^ ]*/+&/g" /sys/fs/cgroup/cgroup.controllers > /sys/fs/cgroup/cgroup.subtree_control']
    return lines

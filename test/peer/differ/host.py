# SPDX-License-Identifier: Apache-2.0
"""Run a program on a recorded host: a tree that is its root directory, in namespaces of its own, so that kubeadm and genphase find the
same programs, files of /proc and ports there, on every machine.

What the tree has is the whole of the host: `proc/swaps` is what is read of /proc/swaps, PATH is /host/bin alone, whose files are programs
(shell scripts). Of the machine it runs on come only the shell and the libraries, which no check looks at, and the number of its processors,
its memory and its kernel's release, which a comparison must leave out. As root it needs no more; another user gets namespaces with
`unshare --user`, where the kernel lets him.
"""
import json
import os
import socket
import subprocess
import sys

BIN = 'host/bin'
# Directories of the machine below the tree: where programs and libraries are.
SHARED = ('bin', 'lib', 'lib32', 'lib64', 'usr/bin', 'usr/lib', 'usr/lib32', 'usr/lib64')
# What a host is furnished with, which no run has written.
FURNITURE = (*(name for name in SHARED if '/' not in name), 'usr', 'host', 'dev', 'proc', 'sys', 'boot', 'tmp', 'root')


def command(root, host, words, shared):
    """The command that runs words with root as its root directory. host: {"addresses": those of the interface lo beside
    its own, "ports": ["ADDRESS:PORT" that somebody listens on]}. shared: directories of the machine that it needs beside the shell's."""
    user = [] if os.getuid() == 0 else ['--user', '--map-root-user']
    return ['unshare', *user, '--mount', '--net', sys.executable, os.path.abspath(__file__), json.dumps([root, host, list(shared)]), *words]


def is_furniture(relative, shared):
    """Whether a path of the tree is none that a run is to have written."""
    return relative.split('/')[0] in (*FURNITURE, *(directory.split('/')[1] for directory in shared))


def _mount(*words):
    subprocess.run(['mount', *words], check=True)


def _share(root, directory):
    """A directory of the machine at the same place below root; a symbolic link stays one."""
    if os.path.islink(f'/{directory}'):
        os.symlink(os.readlink(f'/{directory}'), f'{root}/{directory}')
    elif os.path.isdir(f'/{directory}'):
        os.makedirs(f'{root}/{directory}', exist_ok=True)
        _mount('--rbind', f'/{directory}', f'{root}/{directory}')


def _furnish(root, shared):
    for directory in SHARED:
        _share(root, directory)
    if os.path.isdir(f'{root}/usr/lib/modules'):
        _mount('-t', 'tmpfs', 'none', f'{root}/usr/lib/modules')  # a kernel's configuration may be there
    for directory in shared:
        _share(root, directory.lstrip('/'))
    os.makedirs(f'{root}/dev')
    with open(f'{root}/dev/null', 'w'):
        pass
    _mount('--bind', '/dev/null', f'{root}/dev/null')
    # A sanitizer reads its own process there.
    os.makedirs(f'{root}/host/proc')
    os.makedirs(f'{root}/proc', exist_ok=True)
    _mount('--rbind', '/proc', f'{root}/host/proc')
    os.symlink('../host/proc/self', f'{root}/proc/self')
    for name in os.listdir(f'{root}/{BIN}'):
        os.chmod(f'{root}/{BIN}/{name}', 0o755)


def _listen(address):
    host, _, port = address.rpartition(':')
    listener = socket.create_server((host.strip('[]'), int(port)), family=socket.AF_INET6 if ':' in host else socket.AF_INET)
    listener.set_inheritable(False)
    return listener


def main():
    root, host, shared = json.loads(sys.argv[1])
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
    for address in host.get('addresses', []):
        subprocess.run(['ip', 'address', 'add', address, 'dev', 'lo', *(['nodad'] if ':' in address else [])], check=True)
    listeners = [_listen(address) for address in host.get('ports', [])]
    os.umask(0o022)
    _furnish(root, shared)
    os.chroot(root)
    os.chdir('/')
    environment = {**os.environ, 'PATH': f'/{BIN}'}
    status = subprocess.run(sys.argv[2:], env=environment).returncode
    for listener in listeners:
        listener.close()
    sys.exit(status if status >= 0 else 128 - status)


if __name__ == '__main__':
    main()

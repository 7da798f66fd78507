# SPDX-License-Identifier: Apache-2.0
"""A client for the Docker API over its unix socket that adds nothing to what the daemon says.

Tests judge podwatch by the daemon's own answers and event stream, so they speak to it directly and not through a program that
might retry, cache or reword.
"""
import http.client
import io
import json
import os
import socket
import struct
import subprocess
import tarfile
import threading
import time
import urllib.parse

from waiting import wait_for


class DockerError(Exception):
    def __init__(self, status, message):
        super().__init__(f'{status}: {message}')
        self.status = status
        self.message = message


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path, timeout=60):
        super().__init__('localhost', timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def unix_request(path, method, target, body=None, headers=None, timeout=60):
    """One request to the server at a unix socket: (status, headers, body)."""
    connection = UnixConnection(path, timeout)
    try:
        connection.request(method, target, body=body, headers=headers or {})
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


class Docker:
    """The daemon behind the unix socket at `path`."""

    def __init__(self, path):
        self.path = path

    def request(self, method, target, body=None, *, raw=False, timeout=60, **params):
        """Send a request, give the decoded body; a status of 400 and above is a DockerError."""
        headers = {}
        if params:
            values = {k: v if isinstance(v, (str, list)) else json.dumps(v) for k, v in params.items() if v is not None}
            target += '?' + urllib.parse.urlencode(values, doseq=True)
        if body is not None and not isinstance(body, (bytes, io.IOBase)):
            body, headers = json.dumps(body), {'Content-Type': 'application/json'}
        elif body is not None:
            headers = {'Content-Type': 'application/x-tar'}
        status, _, data = unix_request(self.path, method, target, body, headers, timeout)
        if status >= 400:
            try:
                message = json.loads(data)['message']
            except (ValueError, KeyError, TypeError):
                message = data.decode(errors='replace').strip()
            raise DockerError(status, f'{method} {target}: {message}')
        if raw:
            return data
        return json.loads(data) if data.strip() else None

    def answers(self):
        try:
            return self.request('GET', '/_ping', raw=True, timeout=5) == b'OK'
        except (OSError, http.client.HTTPException, DockerError):
            return False

    def version(self):
        return self.request('GET', '/version')

    def containers(self, all=True, **filters):
        """Containers as /containers/json lists them; filters as label=['k=v'], name=['^/x$']."""
        return self.request('GET', '/containers/json', all=all, filters=as_lists(filters) or None)

    def inspect(self, container):
        return self.request('GET', f'/containers/{container}/json')

    def create(self, name, config):
        return self.request('POST', '/containers/create', config, name=name)['Id']

    def start(self, container):
        self.request('POST', f'/containers/{container}/start')

    def kill(self, container, signal='SIGKILL'):
        self.request('POST', f'/containers/{container}/kill', signal=signal)

    def remove(self, container):
        self.request('DELETE', f'/containers/{container}', force=True, v=True)

    def wait(self, container, timeout=60):
        return self.request('POST', f'/containers/{container}/wait', timeout=timeout)['StatusCode']

    def exec(self, container, *command):
        """What a command prints that is run in a container, to a terminal: line ends are made plain again."""
        made = self.request('POST', f'/containers/{container}/exec', {'Cmd': list(command), 'AttachStdout': True, 'AttachStderr': True, 'Tty': True})
        return self.request('POST', f"/exec/{made['Id']}/start", {'Tty': True}, raw=True).decode(errors='replace').replace('\r\n', '\n')

    def logs(self, container, tail='all'):
        """stdout and stderr of a container as one text, in the order the daemon has them."""
        data = self.request('GET', f'/containers/{container}/logs', raw=True, stdout=True, stderr=True, tail=tail)
        out = []
        while len(data) >= 8 and data[0] in (0, 1, 2):
            size = struct.unpack('>I', data[4:8])[0]
            out.append(data[8:8 + size])
            data = data[8 + size:]
        return (b''.join(out) or data).decode(errors='replace')

    def run(self, name, command, image='localhost/busybox:1', host_config=None, **config):
        """Create and start a container; gives its id."""
        body = {'Image': image, 'Cmd': command, 'HostConfig': host_config or {}, **config}
        container = self.create(name, body)
        self.start(container)
        return container

    def import_image(self, reference, tar, changes=()):
        """Make an image with one layer, the tar archive's bytes, and name it."""
        repository, _, tag = reference.rpartition(':')
        data = self.request('POST', '/images/create', tar, raw=True, timeout=300, fromSrc='-', repo=repository, tag=tag,
                            changes=list(changes))
        for line in data.splitlines():
            error = json.loads(line).get('error')
            if error:
                raise DockerError(500, f'import of {reference}: {error}')

    def make_busybox(self, reference='localhost/busybox:1', binary='/bin/busybox'):
        """An image with busybox, every applet as a link, a passwd file and /tmp."""
        self.import_image(reference, busybox_tar(binary), ['ENV PATH=/bin', 'CMD ["sh"]'])

    def record_events(self, **filters):
        return EventRecorder(self, filters)


def busybox_tar(binary='/bin/busybox'):
    """The layer of the test image. The program must be static, since nothing else is in the image."""
    with open(binary, 'rb') as f:
        program = f.read()
    applets = subprocess.run([binary, '--list'], capture_output=True, text=True, check=True).stdout.split()
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w') as tar:
        def add(name, kind=tarfile.REGTYPE, mode=0o755, data=b'', link=''):
            info = tarfile.TarInfo(name)
            info.type, info.mode, info.size, info.linkname = kind, mode, len(data), link
            tar.addfile(info, io.BytesIO(data) if data else None)
        for directory, mode in (('bin', 0o755), ('etc', 0o755), ('root', 0o700), ('tmp', 0o1777), ('var', 0o755)):
            add(directory, tarfile.DIRTYPE, mode)
        add('bin/busybox', data=program)
        for applet in applets:
            if applet != 'busybox':
                add(f'bin/{applet}', tarfile.SYMTYPE, 0o777, link='busybox')
        add('etc/passwd', mode=0o644, data=b'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n')
        add('etc/group', mode=0o644, data=b'root:x:0:\nnobody:x:65534:\n')
    return out.getvalue()


def as_lists(filters):
    """Docker wants a list for each filter; one value may be given bare."""
    return {k: v if isinstance(v, (list, tuple, dict)) else [v] for k, v in filters.items()}


class EventRecorder:
    """The daemon's event stream, kept in the order received, also over a restart of the daemon.

    Each event is the daemon's object plus `received`, the wall clock at which it was read. `timeNano` is when it happened.
    """

    def __init__(self, docker, filters):
        self.docker = docker
        self.filters = as_lists(filters)
        self.list = []
        self.seen = set()
        self.stopped = threading.Event()
        self.connected = threading.Event()
        self.since = time.time_ns()
        self.connection = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        if not self.connected.wait(10):
            raise DockerError(0, 'the event stream did not open')

    def _run(self):
        while not self.stopped.is_set():
            try:
                self._read()
            except (OSError, http.client.HTTPException, ValueError, AttributeError):
                pass  # the daemon went away, or close() shut the socket: the loop's condition tells which
            self.stopped.wait(0.1)

    def _read(self):
        since = f'{self.since // 10**9}.{self.since % 10**9:09d}'
        target = '/events?' + urllib.parse.urlencode({'since': since, 'filters': json.dumps(self.filters)})
        self.connection = UnixConnection(self.docker.path, timeout=None)
        self.connection.request('GET', target)
        response = self.connection.getresponse()
        self.connected.set()
        while line := response.readline():
            event = json.loads(line)
            key = (event['timeNano'], event['Type'], event['Action'], event['Actor']['ID'])
            if key not in self.seen:
                self.seen.add(key)
                event['received'] = time.time()
                self.since = event['timeNano']
                self.list.append(event)

    def find(self, action=None, name=None, type='container', since=0):
        """Recorded events by action ('die', 'start'), substring of the container's name, and nanoseconds since the epoch."""
        return [e for e in list(self.list)
                if e['Type'] == type and e['timeNano'] > since and (action is None or e['Action'].split(':')[0] == action)
                and (name is None or name in e['Actor']['Attributes'].get('name', ''))]

    def wait(self, action, name=None, timeout=30, since=0):
        """The first such event, waiting for it to come."""
        return wait_for(lambda: self.find(action, name, since=since), timeout, f'a {action} event of {name or "any container"}')[0]

    def close(self):
        self.stopped.set()
        connection = self.connection
        if connection is not None and connection.sock is not None:
            try:
                connection.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.thread.join(5)

    def dump(self, path):
        with open(path, 'w') as f:
            for event in self.list:
                f.write(json.dumps(event) + '\n')
        return os.path.basename(path)

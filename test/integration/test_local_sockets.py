# SPDX-License-Identifier: Apache-2.0
"""podwatch's local sockets: who may use them, and clients that are slow, silent, too large or far too many. None of it reaches
the loop: the health port answers all the while, and afterwards nothing is left of them."""
import json
import os
import socket
import stat
import sys
import time

from cluster import Podwatch, pod
from harness import Host, sanitized, slower, wait_for

ORDERED = True
SOCKET = '/run/podwatch/podwatch.sock'
CONFIG = '''\
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
staticPodPath: /etc/kubernetes/manifests
readOnlyPort: 10255
---
apiVersion: podwatch.io/v1alpha1
kind: PodwatchConfiguration
socketGroup: daemon
'''
PODS = 40
# What is answered while something else goes on; the loop itself takes milliseconds.
PROMPT = 2.0
CONNECTIONS_MAX = 64
# Those that were shown out and are not closed yet.
LEAVING_MAX = 32

# Runs on the host: opens COUNT connections to a port or path; "ask" sends a request on each and counts the answers by status,
# "hold" says nothing on them until its standard input ends.
CLIENT = '''
import asyncio, json, socket, sys
where, count, mode = sys.argv[1], int(sys.argv[2]), sys.argv[3]
async def dial():
    while True:
        if not where.startswith('/'):
            return await asyncio.open_connection('127.0.0.1', int(where))
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        s.setblocking(False)
        try:
            s.connect(where)
            return await asyncio.open_connection(sock=s)
        except BlockingIOError:         # more at once than the queue of the listening socket takes
            s.close()
            await asyncio.sleep(0.02)
async def ask():
    try:
        reader, writer = await dial()
        writer.write(b'GET /healthz HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n')
        answer = await reader.read()
        writer.close()
        return answer.split(b' ')[1].decode() if answer.startswith(b'HTTP/1.1 ') else 'cut'
    except OSError as e:
        return type(e).__name__
async def main():
    if mode == 'ask':
        answers = await asyncio.gather(*(ask() for _ in range(count)))
        print(json.dumps({a: answers.count(a) for a in set(answers)}))
    else:
        kept = []
        for _ in range(count):
            try:
                kept.append(await asyncio.wait_for(dial(), 1))
            except asyncio.TimeoutError:
                break
        print(len(kept), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
asyncio.run(main())
'''


class State:
    def descriptors(self):
        return len(os.listdir(f'/proc/{self.podwatch.pid}/fd'))

    def resident(self):
        with open(f'/proc/{self.podwatch.pid}/status') as f:
            return next(int(line.split()[1]) for line in f if line.startswith('VmRSS')) / 1024

    def client(self, where, count, mode, timeout=60):
        return self.host.output(sys.executable, '-c', CLIENT, str(where), str(count), mode, timeout=timeout)

    def prompt(self):
        """How long a good request takes now; it must not wait for anybody."""
        begin = time.monotonic()
        status, text = self.podwatch.api('/healthz')
        seconds = time.monotonic() - begin
        assert (status, text) == (200, 'ok') and seconds < PROMPT * slower(), seconds
        return seconds


def setup():
    s = State()
    s.host = Host('sockets', docker=False)
    s.host.write('/etc/kubernetes/podwatch.yaml', CONFIG)
    # Bytes enough that no socket buffer takes the answer to /pods.
    for i in range(PODS):
        s.host.write(f'/etc/kubernetes/manifests/p{i}.yaml', pod(f'p{i}', metadata={'annotations': {'note': 'n' * 30000}}))
    s.podwatch = Podwatch(s.host, config='/etc/kubernetes/podwatch.yaml').start()
    wait_for(lambda: len(s.podwatch.pods()) == PODS, 20, 'the pods to be listed')
    # A connection to Docker or two may come later and stay.
    counts = []
    wait_for(lambda: counts.append(s.descriptors()) or (len(counts) >= 10 and len(set(counts[-10:])) == 1), 20, 'a quiet podwatch', 0.2)
    s.base = s.descriptors() + 2
    return s


def teardown(s):
    s.podwatch.stop()
    s.host.close()


def connect(s):
    c = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    c.settimeout(20)
    c.connect(s.host.path(SOCKET))
    return c


def answer(c):
    """All that comes until the server closes."""
    data = b''
    try:
        while chunk := c.recv(65536):
            data += chunk
    except (ConnectionResetError, BrokenPipeError):
        pass
    c.close()
    return data


def test_permissions(s):
    """Root and the members of socketGroup may connect, others not; members may look and not act."""
    st = os.stat(s.host.path(SOCKET))
    assert stat.S_ISSOCK(st.st_mode) and stat.S_IMODE(st.st_mode) == 0o660 and (st.st_uid, st.st_gid) == (0, 1), oct(st.st_mode)
    curl = ['curl', '-sS', '-m', '10', '-w', '%{http_code}', '-o', '/dev/null', '--unix-socket', SOCKET]
    nobody = ['setpriv', '--reuid=65534', '--clear-groups', '--regid=65534']
    member = ['setpriv', '--reuid=65534', '--clear-groups', '--regid=1']
    refused = s.host.run([*nobody, *curl, 'http://x/pods'], check=False)
    assert refused.returncode == 7 and refused.stdout == '000', refused
    assert s.host.output(*member, *curl, 'http://x/pods') == '200'
    acted = s.host.output(*member, *curl, '-X', 'POST', 'http://x/restart?pod=default/p0-node1')
    assert acted in ('403', '404', '405'), acted
    assert s.host.output(*curl, 'http://x/pods') == '200'


def test_ports_are_local(s):
    """The ports are on 127.0.0.1 alone, and the health port tells no pods."""
    text = s.host.read('/proc/net/tcp')
    listening = {line.split()[1] for line in text.splitlines()[1:] if line.split()[3] == '0A'}
    assert {f'0100007F:{port:04X}' for port in (10248, 10255)} == {a for a in listening if int(a.split(':')[1], 16) in (10248, 10255)}, listening
    code = ['curl', '-sS', '-m', '10', '-o', '/dev/null', '-w', '%{http_code}']
    assert s.host.output(*code, 'http://127.0.0.1:10248/pods') == '404'
    assert s.host.output(*code, 'http://127.0.0.1:10255/pods') == '200'
    assert s.host.output(*code, 'http://127.0.0.1:10255/status') == '404'


def test_oversize_requests(s):
    """Headers, path and body beyond the limit are refused or cut off, and cost no memory to speak of."""
    before = s.resident()
    big = b'x' * 100000
    cases = {
        'path': (b'GET /' + big + b' HTTP/1.1\r\nHost: x\r\n\r\n', (b'413', b'414', b'431', b'')),
        'header': (b'GET /healthz HTTP/1.1\r\nHost: x\r\nA: ' + big + b'\r\n\r\n', (b'413', b'431', b'')),
        'headers': (b'GET /healthz HTTP/1.1\r\nHost: x\r\n' + b'A: b\r\n' * 30000 + b'\r\n', (b'413', b'431', b'')),
        'announced': (b'POST /pods HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n', (b'413',)),
        'just too large': (b'POST /pods HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n' + b'x' * 65537, (b'413', b'')),
        'chunked': (b'POST /pods HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n' + b'ffff\r\n' + b'x' * 65535 + b'\r\n'
                    + (b'ffff\r\n' + b'x' * 65535 + b'\r\n') * 100 + b'0\r\n\r\n', (b'413', b'')),
        'no HTTP': (b'\x16\x03\x01' + os.urandom(5000) + b'\r\n\r\n', (b'400', b'')),
    }
    for name, (data, wanted) in cases.items():
        c = connect(s)
        try:
            c.sendall(data)
            c.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it had enough
        said = answer(c)
        code = said.split(b' ')[1] if said.startswith(b'HTTP/1.') else b''
        assert code in wanted, (name, said[:300])
        s.prompt()
    wait_for(lambda: s.descriptors() <= s.base, 10, 'the connections to be gone')
    assert sanitized() or s.resident() - before < 8, (before, s.resident())


def test_slow_readers(s):
    """Clients that ask for all pods and do not read: each holds its own connection, all others are answered, and when
    they have not moved for the idle time they are closed."""
    size = len(s.podwatch.api('/pods')[1])
    assert size > 1000000, size
    before = s.resident()
    begin = time.monotonic()
    held = [connect(s) for _ in range(20)]
    for c in held:
        c.sendall(b'GET /pods HTTP/1.1\r\nHost: x\r\n\r\n')
    while time.monotonic() - begin < 1:
        s.prompt()
        time.sleep(0.2)
    assert json.loads(s.podwatch.api('/pods')[1])['items']
    # Its copies of the answer, no more.
    assert sanitized() or s.resident() - before < 21 * size / 2**20 + 16, (before, s.resident(), size)
    # One that reads after all gets the whole.
    c = held.pop()
    c.settimeout(5)
    data = b''
    while len(data) < size:
        data += c.recv(1 << 20)
    c.close()
    assert data.startswith(b'HTTP/1.1 200'), data[:100]
    wait_for(lambda: s.descriptors() <= s.base, 60, 'the connections of those that do not read to be closed', 0.5)
    assert time.monotonic() - begin >= 25, time.monotonic() - begin
    for c in held:
        c.close()


def test_slow_senders(s):
    """A request byte by byte is answered; the loop does not wait for it."""
    c = connect(s)
    for byte in b'GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n':
        c.sendall(bytes([byte]))
        time.sleep(0.01)
        if byte == 10:
            s.prompt()
    assert answer(c).startswith(b'HTTP/1.1 200')


def test_thousand_connections_at_once(s):
    """On the socket and on the health port: all are answered, in turns of what is allowed at once."""
    for where in (SOCKET, 10248):
        answers = json.loads(s.client(where, 1000, 'ask', timeout=60 * slower()))
        assert answers == {'200': 1000}, (where, answers)
        wait_for(lambda: s.descriptors() <= s.base, 10, 'the connections to be gone')
        s.prompt()


def test_thousand_silent_connections(s):
    """They get no more descriptors than are allowed and keep nobody out, and when they go all is as before. The other sockets do not notice."""
    before = s.resident()
    holder = s.host.popen([sys.executable, '-c', CLIENT, '10248', '1000', 'hold'], stdin=-1, stdout=-1, text=True)
    assert int(holder.stdout.readline()) > CONNECTIONS_MAX
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        assert s.descriptors() <= s.base + CONNECTIONS_MAX + LEAVING_MAX + 1, s.descriptors()
        s.prompt()
        assert s.host.output('curl', '-sS', '-m', '10', 'http://127.0.0.1:10248/healthz') == 'ok'
        time.sleep(0.2)
    assert sanitized() or s.resident() - before < 16, (before, s.resident())
    holder.stdin.close()
    assert holder.wait(30) == 0
    holder.stdout.close()
    wait_for(lambda: s.descriptors() <= s.base, 15, 'the connections to be gone')
    assert s.host.output('curl', '-sS', '-m', '10', 'http://127.0.0.1:10248/healthz') == 'ok'

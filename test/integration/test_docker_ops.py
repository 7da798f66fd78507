# SPDX-License-Identifier: Apache-2.0
"""lib/docker against a real daemon: each operation does what the daemon itself says it did, and fails with its words."""
import base64
import io
import json
import os
import re
import subprocess
import tarfile
import time

from docker_api import busybox_tar
from harness import Host, hold, sanitized, slower, wait_for

HERE = os.path.dirname(os.path.abspath(__file__))
IMAGE = 'localhost/busybox:1'
EINVAL, ETIMEDOUT, ECONNRESET, ECONNREFUSED, ECANCELED = 22, 110, 104, 111, 125
ERR_UNSUPPORTED, ERR_REMOTE = 10006, 10004


def program():
    path = os.path.abspath(os.environ.get('DOCKER_OPS') or f'{HERE}/../../build/test/integration/docker_ops')
    assert os.access(path, os.X_OK), f'{path} is not there; build it or set DOCKER_OPS'
    return path


def ops(host, *args, code=0, **kwargs):
    """Runs operations; gives the lines that they printed without what they took."""
    result = host.run([program(), *map(str, args)], check=False, **kwargs)
    assert result.returncode == code, (result.returncode, result.stdout, result.stderr)
    return [line for line in result.stdout.splitlines() if not line.startswith('took ')]


def error(host, *args, **kwargs):
    """Runs operations of which the last fails; gives its code, status and text."""
    last = ops(host, *args, code=1, **kwargs)[-1].split(' ', 3)
    assert last[0] == 'error', last
    return int(last[1]), int(last[2]), last[3]


def setup():
    host = Host('dockerops')
    host.docker.make_busybox()
    return host


def body(*command, **config):
    return json.dumps({'Image': IMAGE, 'Cmd': list(command), **config})


def test_version_is_negotiated(host):
    version = host.docker.version()
    line, = ops(host, 'version')
    assert line == (f"version {version['Version']} api {version['ApiVersion']} used "
                    f"{min(version['ApiVersion'], '1.44', key=lambda v: int(v.split('.')[1]))} os linux arch {version['Arch']}"), line


def test_info(host):
    info = host.docker.request('GET', '/info')
    line, = ops(host, 'info')
    assert line == (f"info name=node1 cgroup={info['CgroupDriver']}/{info['CgroupVersion']} root=/var/lib/docker log=json-file "
                    f"live_restore={int(info['LiveRestoreEnabled'])} cpus={info['NCPU']}"), line


def test_life_of_a_container(host):
    labels = {'app': 'it', 'odd "label"': 'a=b&c d/\u20ac'}
    lines = ops(host, 'create', 'one', body('sh', '-c', 'trap "exit 7" TERM; while :; do sleep 0.05; done', Labels=labels),
                '--', 'start', 'one', '--', 'start', 'one', '--', 'inspect', 'one', '--', 'list', 'odd "label"=a=b&c d/\u20ac',
                '--', 'list', 'app=other')
    container = lines[0].split()[1]
    state = host.docker.inspect('one')
    assert container == state['Id']
    assert lines[1:3] == ['done', 'done'], 'a container that runs already is started'
    fields = dict(f.split('=', 1) for f in lines[3].split(' ')[1:])
    assert fields['pid'] == str(state['State']['Pid']) and fields['state'] == 'running'
    assert fields['ip'] == state['NetworkSettings']['IPAddress'] and fields['log'] == state['LogPath']
    assert abs(int(fields['started']) / 1e6 - time.time()) < 60
    assert lines[4:] == [f'container one running {container}']

    assert error(host, 'remove', 'one')[:2] == (ERR_REMOTE, 409)
    wait_for(lambda: b'TERM' in subprocess.run(['cat', f"/proc/{state['State']['Pid']}/cmdline"], capture_output=True).stdout, 5, 'the shell')
    assert ops(host, 'kill', 'one', 'SIGTERM') == ['done']
    assert host.docker.wait('one') == 7
    code, status, text = error(host, 'kill', 'one', 'SIGTERM')
    assert (code, status) == (ERR_REMOTE, 409) and 'is not running' in text and 'POST /containers/one/kill' in text, text
    fields = dict(f.split('=', 1) for f in ops(host, 'inspect', 'one')[0].split(' ')[1:])
    assert (fields['state'], fields['exit'], fields['pid'], fields['ip']) == ('exited', '7', '0', '')
    assert ops(host, 'remove', 'one', '--', 'remove', 'one', '--', 'remove', 'one', 'force') == ['done'] * 3, 'gone is done'
    code, status, text = error(host, 'inspect', 'one')
    assert (code, status) == (ERR_REMOTE, 404) and 'No such container: one' in text, text


def test_errors_carry_the_daemons_words(host):
    ops(host, 'create', 'taken', body('true'))
    code, status, text = error(host, 'create', 'taken', body('true'))
    assert (code, status) == (ERR_REMOTE, 409) and 'is already in use by container' in text, text
    assert error(host, 'create', 'none', body('true').replace(IMAGE, 'none:1'))[1] == 404
    assert error(host, 'create', 'none', '{"Image":')[1] in (400, 500)
    assert error(host, 'create', 'a name/with?odd#chars', body('true'))[1] == 400
    for name in ('', '.', '..', '../images/json'):
        assert error(host, 'inspect', name)[1] >= 300
    ops(host, 'create', 'broken', body('/no/such/program'))
    code, status, text = error(host, 'start', 'broken')
    assert status == 400 and '/no/such/program' in text, text
    for name in ('taken', 'broken'):
        ops(host, 'remove', name)


def test_logs(host):
    host.docker.run('speaks', ['sh', '-c', 'echo one; echo two >&2; printf unended; sleep 0.7; echo late; exec sleep 1000'])
    wait_for(lambda: 'unended' in host.docker.logs('speaks'), 5, 'the first lines')
    lines = ops(host, 'logs', 'speaks')
    assert sorted(lines[:2]) == ['output 1 4 one', 'output 2 4 two'], lines
    wait_for(lambda: 'late' in host.docker.logs('speaks'), 5, 'the last line')
    assert ops(host, 'logs', 'speaks', 1) == ['output 1 12 unendedlate', 'done']
    assert ops(host, 'logs', 'speaks', 0) == ['done']
    stamped = ops(host, 'logs', 'speaks', 1, 0, 1)[0]
    assert re.match(r'output 1 \d+ \d{4}-\d\d-\d\dT[0-9:.]+Z unendedlate$', stamped), stamped
    assert ops(host, 'logs', 'speaks', -1, int(time.time() + 3600) * 1000000) == ['done'], 'since'
    start = time.monotonic()
    followed = ops(host, 'cancel', 700, 'logs', 'speaks', -1, 0, 0, 1, code=1)
    assert 0.6 < time.monotonic() - start < 5 and followed[-1].startswith(f'error {ECANCELED} '), followed
    assert 'output 1 12 unendedlate' in followed
    process = host.popen([program(), 'logs', 'speaks', '0', '0', '0', '1'], stdout=subprocess.PIPE, text=True)
    hold(lambda: process.poll() is None, 0.3, 'following goes on')
    host.docker.kill('speaks')
    assert process.communicate(timeout=10)[0].splitlines()[0] == 'done', 'the end of the container ends it'
    host.docker.remove('speaks')
    assert error(host, 'logs', 'speaks')[1] == 404


def test_logs_of_a_terminal_have_no_frames(host):
    host.docker.run('terminal', ['sh', '-c', 'echo raw'], Tty=True)
    host.docker.wait('terminal')
    assert ops(host, 'logs', 'terminal')[0] == 'output 1 5 raw', ops(host, 'logs', 'terminal')
    host.docker.remove('terminal')


def test_exec(host):
    host.docker.run('inside', ['sleep', '1000'])
    assert ops(host, 'exec', 'inside', 5000, 100, 'sh', '-c', 'echo "a b"; exit 3') == ['exec exit=3 timed_out=0 len=4 output=a b', '']
    assert ops(host, 'exec', 'inside', 5000, 100, 'true') == ['exec exit=0 timed_out=0 len=0 output=']
    cut = ops(host, 'exec', 'inside', 5000, 10, 'sh', '-c', 'yes | head -c 1000000; exit 4')
    assert cut[0] == 'exec exit=4 timed_out=0 len=10 output=y', cut
    both = ops(host, 'exec', 'inside', 5000, 100, 'sh', '-c', 'echo out; echo err >&2')
    assert sorted(both[0].split('output=')[1:] + both[1:]) == ['', 'err', 'out'], both
    start = time.monotonic()
    assert ops(host, 'exec', 'inside', 300, 100, 'sh', '-c', 'echo began; sleep 1000')[0] == 'exec exit=0 timed_out=1 len=6 output=began'
    assert time.monotonic() - start < 3 * slower()  # of 1000 s
    missing = ops(host, 'exec', 'inside', 5000, 1000, '/no/such/program')[0]
    assert re.match(r'exec exit=12[67] ', missing) and '/no/such/program' in missing, missing
    code, status, text = error(host, 'exec', 'none', 1000, 100, 'true')
    assert status == 404 and 'No such container' in text
    start = time.monotonic()
    assert error(host, 'cancel', 200, 'exec', 'inside', 60000, 100, 'sleep', '1000')[0] == ECANCELED
    assert time.monotonic() - start < 5 * slower()  # of a minute
    host.docker.kill('inside')
    host.docker.wait('inside')
    assert error(host, 'exec', 'inside', 1000, 100, 'true')[1] == 409
    host.docker.remove('inside')


def test_many_at_once(host):
    names = [f'many-{i}' for i in range(10)]
    for name in names:
        host.docker.create(name, json.loads(body('true')))
    lines = ops(host, 'parallel', 'list')
    assert len(lines) == 50 * 10 and {line.split()[1] for line in lines} == set(names)
    assert ops(host, *[a for n in names for a in ('remove', n, '--')][:-1]) == ['done'] * 10


def test_events(host):
    before = time.time()
    process = host.popen([program(), 'events', '6'], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == 'connected 0\n'
    host.docker.run('brief', ['sh', '-c', 'exit 9'])
    host.docker.wait('brief')
    host.docker.create('other', json.loads(body('true')))
    host.docker.remove('other')
    host.docker.remove('brief')
    got = [line.split()[1:] for line in process.communicate(timeout=20)[0].splitlines() if line.startswith('event ')]
    assert [e for e in got if e[2] == 'brief'][:3] == [['container', 'create', 'brief', '-'], ['container', 'start', 'brief', '-'],
                                                       ['container', 'die', 'brief', '9']], got
    assert all(e[0] == 'container' for e in got)
    again = [line.split()[1:] for line in ops(host, 'events', 3, int(before * 1e6), code=1) if line.startswith('event ')]
    assert [e[1] for e in again] == ['create', 'start', 'die'], again


def test_no_event_is_lost_after_connected(host):
    """The container is made the moment that the subscription is reported, again and again."""
    for i in range(20):
        process = host.popen([program(), 'events', '1'], stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline() == 'connected 0\n'
        host.docker.create(f'quick-{i}', json.loads(body('true')))
        out = process.communicate(timeout=10)[0].splitlines()
        assert out[0] == f'event container create quick-{i} -', out
        host.docker.remove(f'quick-{i}')


def test_images(host):
    lines = ops(host, 'image', IMAGE, '--', 'tag', IMAGE, 'registry.k8s.io/odd/name:v1.2_3', '--', 'images', '--', 'image',
                'registry.k8s.io/odd/name:v1.2_3')
    identity = lines[0].split()[1]
    assert identity == host.docker.request('GET', f'/images/{IMAGE}/json')['Id']
    assert f'image {IMAGE},registry.k8s.io/odd/name:v1.2_3 {identity}' in lines
    assert lines[-1].split()[1] == identity
    code, status, text = error(host, 'image', 'none.example/x:1')
    assert status == 404 and 'No such image' in text, text
    host.docker.request('DELETE', '/images/registry.k8s.io/odd/name:v1.2_3')


def test_load(host):
    saved = host.docker.request('GET', f'/images/{IMAGE}/get', raw=True)
    path = f'{host.directory}/saved.tar'
    with open(path, 'wb') as f:
        f.write(saved)
    host.docker.request('DELETE', f'/images/{IMAGE}', force=True)
    assert error(host, 'image', IMAGE)[1] == 404
    assert ops(host, 'load', path) == ['done']
    assert ops(host, 'image', IMAGE)[0].split()[2].startswith(f'tags={IMAGE}')
    with open(path, 'wb') as f:
        f.write(b'this is no tar archive' * 100)
    code, _, text = error(host, 'load', path)
    assert code == ERR_REMOTE and 'load of an image' in text, text
    half = io.BytesIO(saved[:len(saved) // 2])
    with open(path, 'wb') as f:
        f.write(half.getvalue())
    assert error(host, 'load', path)[0] == ERR_REMOTE
    assert tarfile.is_tarfile(io.BytesIO(saved))


def test_own_pause_image(host):
    """Runs as any pod's sandbox does, takes in orphans, and ends at once with 0."""
    reference = 'registry.k8s.io/pause:3.99'
    line = ops(host, 'pause', reference, '--', 'image', reference, '--', 'pause', 'localhost/pause:again', '--', 'image',
               'localhost/pause:again')
    assert line[0] == line[2] == 'done' and line[1].split()[1] == line[3].split()[1], 'the same bytes, the same image'
    assert f'tags={reference} user=65535:65535 entrypoint=/pause env=PATH=' in line[1], line[1]
    host.docker.create('sandbox', {'Image': reference})
    host.docker.start('sandbox')
    pid = host.docker.inspect('sandbox')['State']['Pid']
    host.run(['nsenter', '-t', str(pid), '-p', 'sh', '-c', '(sleep 0.1 &) ; true'])
    time.sleep(0.4)
    assert open(f'/proc/{pid}/task/{pid}/children').read() == '', 'a zombie is left'
    with open(f'/proc/{pid}/status') as f:
        resident = int(re.search(r'VmRSS:\s+(\d+) kB', f.read())[1])
    assert resident < 100, resident
    start = time.monotonic()
    host.docker.kill('sandbox', 'SIGTERM')
    assert host.docker.wait('sandbox') == 0 and time.monotonic() - start < 2 * slower()
    host.docker.remove('sandbox')


def start_registry(host, port, *credentials):
    rootfs = f'{host.directory}/rootfs.tar'
    with open(rootfs, 'wb') as f:
        f.write(busybox_tar())
    process = host.popen(['python3', f'{HERE}/registry.py', str(port), 'team/box', 'v1', rootfs, *credentials], stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, text=True)
    assert process.stdout.readline() == 'listening\n'
    return process


def test_pull(host):
    registry = start_registry(host, 5000)
    lines = ops(host, 'pull', '127.0.0.1:5000/team/box:v1')
    assert lines[0] == 'progress v1: Pulling from team/box' and lines[-1] == 'done', lines
    assert any(re.match(r'progress [0-9a-f]{12}: Pull complete$', line) for line in lines), lines
    digest = [line.split('sha256:')[1] for line in lines if line.startswith('progress Digest: ')][0]
    assert ops(host, 'pull', f'127.0.0.1:5000/team/box@sha256:{digest}')[-1] == 'done'
    code, _, text = error(host, 'pull', '127.0.0.1:5000/team/box:none')
    assert code == ERR_REMOTE and 'pull of 127.0.0.1:5000/team/box:none' in text and 'manifest unknown' in text, text
    assert 'connection refused' in error(host, 'pull', '127.0.0.1:5999/x:1')[2]
    registry.kill()
    registry.wait()


def test_pull_with_credentials(host):
    registry = start_registry(host, 5001, 'user:pass:word')
    config = f'{host.directory}/config.json'

    def write(auths):
        with open(config, 'w') as f:
            json.dump({'auths': auths}, f)
    image = '127.0.0.1:5001/team/box:v1'
    assert error(host, 'pull', image)[0] == ERR_REMOTE
    write({'127.0.0.1:5001': {'auth': base64.b64encode(b'user:pass:word').decode()}})
    assert ops(host, 'pull', image, config)[-1] == 'done'
    host.docker.request('DELETE', f'/images/{image}')
    write({'127.0.0.1:5001': {'auth': base64.b64encode(b'user:wrong').decode()}})
    assert error(host, 'pull', image, config)[0] == ERR_REMOTE
    registry.kill()
    registry.wait()


def test_daemon_goes_and_comes(host):
    """Calls under way fail, calls meanwhile say why, and the same program goes on with the next daemon."""
    host.docker.run('stays', ['sleep', '1000'])
    process = host.popen([program(), 'list', '--', 'events', '0', '--', 'list'], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline().startswith('container stays running ')
    while process.stdout.readline() != 'connected 0\n':
        pass
    host.docker_kill()
    code = process.stdout.readline().split()[:2]
    assert code == ['error', str(ECONNRESET)], code
    process.stdout.readline()
    next_code = process.stdout.readline().split()[:2]
    assert next_code in (['error', str(ECONNRESET)], ['error', str(ECONNREFUSED)]), next_code
    assert process.wait(10) == 1
    code, status, text = error(host, 'version')
    assert (code, status) == (ECONNREFUSED, 0) and '/run/docker.sock' in text, text
    assert error(host, 'version', env={'DOCKER_HOST': 'unix:///run/no-such.sock'})[0] == ECONNREFUSED
    host.docker_start()
    assert ops(host, 'list')[0].startswith('container stays running ')
    host.docker.remove('stays')


def test_over_tcp(host):
    proxy = host.popen(['python3', '-c', PROXY], stdout=subprocess.PIPE, text=True)
    assert proxy.stdout.readline() == 'listening\n'
    assert ops(host, 'image', IMAGE, env={'DOCKER_HOST': 'tcp://127.0.0.1:2375'})[0].startswith('image sha256:')
    proxy.kill()
    proxy.wait()
    result = host.run([program(), 'list'], check=False, env={'DOCKER_HOST': 'ssh://x'})
    assert result.returncode == 2 and "'ssh://x'" in result.stderr, result


PROXY = '''
import socket, threading
def pump(a, b):
    while data := a.recv(65536):
        b.sendall(data)
    b.shutdown(socket.SHUT_WR)
server = socket.create_server(('127.0.0.1', 2375))
print('listening', flush=True)
while True:
    client, _ = server.accept()
    daemon = socket.socket(socket.AF_UNIX)
    daemon.connect('/run/docker.sock')
    for pair in ((client, daemon), (daemon, client)):
        threading.Thread(target=pump, args=pair, daemon=True).start()
'''


def test_a_call_costs_little(host):
    """Over the kept connection a list of nothing takes well under a millisecond of ours; the daemon's own share is some 0.3 ms."""
    result = host.run([program(), *['list', 'none', '--'] * 200, 'list', 'none'])
    times = sorted(int(line.split()[1]) for line in result.stdout.splitlines() if line.startswith('took '))
    print(f'# median of 200 lists: {times[100]} us')
    assert sanitized() or times[100] < 5000, times

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A small API server that answers by rules, and the health ports of a control plane beside it, for one run of a program.

    scripted_api.py SCRIPT.json CREDENTIALS SAID.json PROGRAM [ARGUMENT...]

It is started in a network namespace of its own, so that the ports are free and nothing else is reached: the API server is
https://192.0.2.1:6443 (127.0.0.1:6443 too), and 127.0.0.1 has the ports of the kubelet (10248), kube-controller-manager (10257) and
kube-scheduler (10259). The program's exit status is its own. SAID says what was asked, what was written by whom, and what is there
afterwards.

SCRIPT may have
    objects     path to object: what is there before
    closed      ports at which nobody listens
    rules       the first that fits answers: {port, method, user, path (a regular expression), object (the same for the path with the name of
                the object behind it, which a POST has in its body), unless (the path of an object: the rule counts while there is none),
                times (how often it counts), status, message, text (an answer that is no Status)}; all but status may be left out, and the port
                then is that of the API server
What no rule is for is answered as an API server does: objects are kept by path, found, listed, made, replaced and patched; /healthz, /livez and
/readyz are well.
"""
import argparse
import http.server
import json
import re
import ssl
import subprocess
import sys
import threading
import urllib.parse

import kube_protobuf

ADDRESS, LOCAL = '192.0.2.1', '127.0.0.1'
API_PORT = 6443
HEALTH = {10248: False, 10257: True, 10259: True}  # port to whether it speaks TLS
HEALTH_PATHS = ('/healthz', '/livez', '/readyz')
REASONS = {400: 'BadRequest', 403: 'Forbidden', 404: 'NotFound', 409: 'AlreadyExists', 422: 'Invalid', 500: 'InternalError', 503: 'ServiceUnavailable',
           504: 'Timeout'}
LISTED = re.compile(r'/(api|apis/[^/]+)/([^/]+)(?:/namespaces/[^/]+)?/[a-z]+')
MADE = ('resourceVersion', 'creationTimestamp', 'managedFields')
UID = '7d6aa6a4-0000-4000-8000-000000000001'  # of every object: what names another by it says so
OBJECT = re.compile(LISTED.pattern + '/[^/]+')


def merged(have, patch):
    """A patch of maps merged into an object; lists are replaced, which is what those of kubeadm come to."""
    if not isinstance(have, dict) or not isinstance(patch, dict):
        return patch
    made = {**have, **{key: merged(have.get(key), value) for key, value in patch.items()}}
    return {key: value for key, value in made.items() if value is not None}


def plain(value):
    """An object without what the server chooses, what is not read of its kind, and empty fields that only Go writes."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    left_out = MADE + (('spec', 'status') if value.get('kind') in kube_protobuf.NAMED_KINDS else ())
    made = {key: plain(item) for key, item in value.items() if item not in (None, {}) and key not in left_out}
    if made.get('metadata', {}).get('uid') == UID:
        del made['metadata']['uid']
    return made


class Store:
    def __init__(self, script):
        self.script, self.lock, self.version = script, threading.Lock(), 0
        self.port = API_PORT  # at which it is an API server
        self.objects = dict(script.get('objects', {}))
        self.asked, self.written = [], []

    def failure(self, status, message, reason=None):
        return status, {'kind': 'Status', 'apiVersion': 'v1', 'status': 'Failure', 'message': message, 'reason': reason or REASONS.get(status, ''),
                        'code': status}

    def rule(self, port, user, method, path, body):
        name = f'{path}/{body["metadata"]["name"]}' if method == 'POST' else path
        for rule in self.script.get('rules', []):
            fits = (rule.get('port', self.port) == port and rule.get('method', method) == method and rule.get('user', user) == user
                    and re.fullmatch(rule.get('path', '.*'), path) and re.fullmatch(rule.get('object', '.*'), name)
                    and rule.get('unless') not in self.objects and rule.get('times') != 0)
            if fits and 'times' in rule:
                rule['times'] -= 1
            if fits:
                return rule
        return None

    def keep(self, user, method, path, thing):
        self.version += 1
        for subject in thing.get('subjects', []):  # as a server fills in
            if subject['kind'] in ('User', 'Group'):
                subject.setdefault('apiGroup', 'rbac.authorization.k8s.io')
        if plain(thing) != plain(self.objects.get(path)):
            self.written.append(f'{user} {method} {path}')
        self.objects[path] = {**thing, 'metadata': {'uid': UID, **thing.get('metadata', {}), 'resourceVersion': str(self.version)}}
        return (201 if method == 'POST' else 200), self.objects[path]

    def listed(self, path):
        version = '/'.join(part.removeprefix('apis/') for part in LISTED.fullmatch(path).groups() if part != 'api')
        items = [thing for key, thing in self.objects.items() if key.rpartition('/')[0] == path]
        kind = items[0]['kind'] if items else path.rpartition('/')[2].removesuffix('s').capitalize()
        return 200, {'apiVersion': version, 'kind': f'{kind}List', 'metadata': {'resourceVersion': str(self.version)}, 'items': items}

    def request(self, user, method, path, body):
        if method == 'POST':
            path = f'{path}/{body["metadata"]["name"]}'
        have = self.objects.get(path)
        if method == 'GET' and path in HEALTH_PATHS:
            return 200, 'ok'
        if method == 'POST':
            return self.failure(409, f'{path} already exists') if have else self.keep(user, method, path, body)
        if method == 'GET' and LISTED.fullmatch(path) and not OBJECT.fullmatch(path):
            return self.listed(path)
        if not have or not OBJECT.fullmatch(path):
            return self.failure(404, f'{path} not found')
        if method in ('PUT', 'PATCH'):
            return self.keep(user, method, path, body if method == 'PUT' else merged(have, body))
        return (200, have) if method == 'GET' else self.failure(400, f'{method} is not answered here')

    def answer(self, port, user, method, path, body):
        with self.lock:
            rule = self.rule(port, user, method, path, body)
            if rule and 'text' in rule:
                status, reply = rule['status'], rule['text']
            elif rule:
                status, reply = self.failure(rule['status'], rule.get('message', f'{method} {path} is refused'),
                                             'Conflict' if method in ('PUT', 'PATCH') and rule['status'] == 409 else None)
            elif port == self.port:
                status, reply = self.request(user, method, path, body)
            else:
                status, reply = (200, 'ok') if path in HEALTH_PATHS else (404, 'not found')
            self.asked.append(f'{port} {user} {method} {path} {status}')
            return status, reply


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    disable_nagle_algorithm = True

    def user(self):
        certificate = self.connection.getpeercert() if isinstance(self.connection, ssl.SSLSocket) else None
        subject = dict(pair for pairs in (certificate or {}).get('subject', ()) for pair in pairs)
        return subject.get('commonName', '-')

    def body(self):
        raw = self.rfile.read(int(self.headers.get('Content-Length') or 0))
        if not raw:
            return None
        return kube_protobuf.decode(raw) if self.headers['Content-Type'].endswith('protobuf') else json.loads(raw)

    def any_method(self):
        port, path = self.server.server_address[1], urllib.parse.urlsplit(self.path).path
        status, reply = self.server.store.answer(port, self.user(), self.command, path, self.body())
        text = reply.encode() if isinstance(reply, str) else json.dumps(reply).encode()
        self.send_response(status)
        self.send_header('Content-Type', 'text/plain' if isinstance(reply, str) else 'application/json')
        self.send_header('Content-Length', str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = any_method

    def log_message(self, format, *args):  # what was asked is in SAID
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, store, address, credentials):
        super().__init__(address, Handler)
        self.store = store
        if credentials:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(f'{credentials}/server.crt', f'{credentials}/server.key')
            context.load_verify_locations(f'{credentials}/ca.crt')
            context.verify_mode = ssl.CERT_OPTIONAL
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):  # a client that goes away, or does not like the certificate
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ('script', 'credentials', 'said', 'program'):
        parser.add_argument(name)
    parser.add_argument('argument', nargs=argparse.REMAINDER)
    options = parser.parse_args()
    credentials = options.credentials
    with open(options.script) as f:
        script = json.load(f)
    subprocess.run(['ip', 'address', 'add', f'{ADDRESS}/32', 'dev', 'lo'], check=True)
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
    store = Store(script)
    ports = {(ADDRESS, API_PORT): True, (LOCAL, API_PORT): True, **{(LOCAL, port): tls for port, tls in HEALTH.items()}}
    for (address, port), tls in ports.items():
        if port not in script.get('closed', []):
            Server(store, (address, port), credentials if tls else None)
    status = subprocess.run([options.program, *options.argument], check=False).returncode
    with store.lock, open(options.said, 'w') as f:
        json.dump({'asked': store.asked, 'written': sorted(store.written), 'objects': plain(store.objects)}, f)
    sys.exit(status)


if __name__ == '__main__':
    main()

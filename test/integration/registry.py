# SPDX-License-Identifier: Apache-2.0
"""A registry with one image, as far as `docker pull` asks: manifest by tag or digest, and blobs; with a user and password on demand.

dockerd takes a registry on a loopback address without TLS, so this one runs inside the test host:

    registry.py PORT NAME TAG ROOTFS.tar [USER:PASSWORD [GATE]]

NAME and TAG may be `*`: the image goes by every name. GATE is a file: until it is there, half of a blob is sent and no more.
"""
import base64
import gzip
import hashlib
import http.server
import json
import os
import re
import sys
import time


def digest(data):
    return 'sha256:' + hashlib.sha256(data).hexdigest()


def make_image(layer):
    """Blobs by digest, and the manifest, of an image with the one layer."""
    packed = gzip.compress(layer, mtime=0)
    config = json.dumps({'architecture': 'amd64', 'os': 'linux', 'config': {'Env': ['PATH=/bin'], 'Cmd': ['sh']},
                         'rootfs': {'type': 'layers', 'diff_ids': [digest(layer)]}}).encode()
    manifest = json.dumps({
        'schemaVersion': 2, 'mediaType': 'application/vnd.docker.distribution.manifest.v2+json',
        'config': {'mediaType': 'application/vnd.docker.container.image.v1+json', 'size': len(config), 'digest': digest(config)},
        'layers': [{'mediaType': 'application/vnd.docker.image.rootfs.diff.tar.gzip', 'size': len(packed),
                    'digest': digest(packed)}]}).encode()
    return {digest(config): config, digest(packed): packed}, manifest


def main():
    port, name, tag, rootfs = sys.argv[1:5]
    credentials = sys.argv[5] if len(sys.argv) > 5 else None
    gate = sys.argv[6] if len(sys.argv) > 6 else None
    with open(rootfs, 'rb') as f:
        blobs, manifest = make_image(f.read())

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = 'HTTP/1.1'

        def answer(self, status, body=b'', content_type='application/json', headers=()):
            self.send_response(status)
            self.send_header('Content-Type', content_type)
            self.send_header('Content-Length', str(len(body)))
            self.send_header('Docker-Distribution-Api-Version', 'registry/2.0')
            for key, value in headers:
                self.send_header(key, value)
            self.end_headers()
            if self.command == 'HEAD':
                return
            if gate and content_type == 'application/octet-stream':
                self.wfile.write(body[:len(body) // 2])
                while not os.path.exists(gate):
                    time.sleep(0.05)
                body = body[len(body) // 2:]
            self.wfile.write(body)

        def do_GET(self):
            basic = 'Basic ' + base64.b64encode(credentials.encode()).decode() if credentials else None
            if basic and self.headers.get('Authorization') != basic:
                self.answer(401, b'{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}',
                            headers=[('WWW-Authenticate', 'Basic realm="test"')])
                return
            asked = re.fullmatch('/v2/(.*)/(manifests|blobs)/([^/]*)', self.path)
            if self.path == '/v2/':
                self.answer(200, b'{}')
            elif not asked or name not in ('*', asked[1]):
                self.answer(404, b'{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known to registry"}]}')
            elif asked[2] == 'manifests' and (tag in ('*', asked[3]) or asked[3] == digest(manifest)):
                self.answer(200, manifest, 'application/vnd.docker.distribution.manifest.v2+json',
                            [('Docker-Content-Digest', digest(manifest))])
            elif asked[2] == 'blobs' and asked[3] in blobs:
                self.answer(200, blobs[asked[3]], 'application/octet-stream')
            else:
                self.answer(404, b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}')

        do_HEAD = do_GET

    server = http.server.ThreadingHTTPServer(('127.0.0.1', int(port)), Handler)
    print('listening', flush=True)
    server.serve_forever()


if __name__ == '__main__':
    main()

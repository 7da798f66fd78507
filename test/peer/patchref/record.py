#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Record what kubeadm's libraries make of random patches, for the unit tests.

    record.py [--seed N] [--count N] KUBERNETES...      writes test/data/patches/KUBERNETES.jsonl, for instance 1.36.3

Each line is a question and its answer: {"type", "document", "patch", "result" | "error", "pod" | "wrong"}. Left out are runs in
which a library panics, those that depend on the random order of Go's maps (two mistakes, say), and two mistakes of the libraries: a
text with an unused %w, and numbers beyond 32 bits that wrapped around before 1.23. test_patch_recorded reads the files;
PATCH_RECORDINGS=DIR makes it read others, such as a long run with --out DIR.
"""
import argparse
import json
import os
import random
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, '../../data/patches')
CACHE = os.path.join(os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache'), 'genphase/peer/patchref')
# The library for JSON and merge patches that each kubeadm links, oldest first: from that minor on.
LIBRARIES = [(0, 'github.com/evanphx/json-patch v4.9.0+incompatible'), (22, 'github.com/evanphx/json-patch v4.11.0+incompatible'),
             (23, 'github.com/evanphx/json-patch v4.12.0+incompatible'), (35, 'gopkg.in/evanphx/json-patch.v4 v4.13.0')]

# How often a question is asked: an answer that depends on the order of a map shows in some of them.
TRIES = 40

NAMES = ['a', 'b', 'c', 'zz', 'kube-apiserver']
WORDS = ['', 'x', 'true', '1', '/etc', 'a b', '~/']


def build(version):
    _, minor, patch = version.split('.')
    module, library = f'v0.{minor}.{patch}', [l for m, l in LIBRARIES if m <= int(minor)][-1]
    directory = f'{CACHE}/{version}'
    program = f'{directory}/patchref'
    if not os.path.exists(program):
        os.makedirs(directory, exist_ok=True)
        with open(f'{HERE}/main.go') as source, open(f'{directory}/main.go', 'w') as f:
            f.write(source.read().replace('JSONPATCH', library.split()[0]))
        with open(f'{directory}/go.mod', 'w') as f:
            f.write(f'module patchref\n\ngo 1.24\n\nrequire (\n\tk8s.io/api {module}\n\tk8s.io/apimachinery {module}\n\t{library}\n)\n')
        env = {**os.environ, 'GOFLAGS': '-mod=mod', 'CGO_ENABLED': '0'}
        subprocess.run(['go', 'mod', 'tidy'], cwd=directory, env=env, check=True, stderr=subprocess.DEVNULL)
        subprocess.run(['go', 'build', '-o', 'patchref', '.'], cwd=directory, env=env, check=True)
    return program


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def some(self, things, most):
        return self.random.sample(things, self.random.randint(0, min(most, len(things))))

    def chance(self, p):
        return self.random.random() < p

    def scalar(self):
        return self.random.choice([None, True, False, 0, 1, 70000, 5000000000, 1.5, 'x', '', '1'])

    def quantity(self):
        return self.random.choice(['0.25', '1024Mi', '1500m', 2, 0.5, '1e3', '100m', '1Ki'] + (['x', None] if self.chance(.1) else []))

    def env(self):
        item = {'name': self.random.choice('ABCDE')}
        if self.chance(.7):
            item['value'] = self.random.choice(WORDS)
        elif self.chance(.5):
            item['valueFrom'] = {'fieldRef': {'fieldPath': 'status.podIP'}}
        else:
            item['valueFrom'] = {'resourceFieldRef': {'resource': 'limits.cpu', 'divisor': self.quantity()}}
        return item

    def mount(self):
        item = {'mountPath': self.random.choice(['/a', '/b', '/c']), 'name': self.random.choice(NAMES)}
        if self.chance(.3):
            item['readOnly'] = self.random.choice([True, False])
        return item

    def volume(self):
        item = {'name': self.random.choice(NAMES)}
        item.update(self.random.choice([{'emptyDir': {}}, {'hostPath': {'path': '/x', 'type': ''}}, {'hostPath': {'path': '/y'}},
                                        {'emptyDir': {'medium': 'Memory', 'sizeLimit': self.quantity()}}, {}]))
        return item

    def probe(self):
        return self.random.choice([
            {'httpGet': {'path': '/healthz', 'port': 8080, 'host': '127.0.0.1'}, 'periodSeconds': self.random.choice([0, 1, 10])},
            {'httpGet': {'port': 'probe-port', 'scheme': 'HTTPS'}}, {'exec': {'command': ['true']}}, {'tcpSocket': {'port': 1}},
            {'failureThreshold': 3, 'terminationGracePeriodSeconds': 0}])

    def container(self, directives):
        c = {'name': self.random.choice(NAMES)}
        if self.chance(.5):
            c['command'] = self.some(['sleep', '--a=b', '1', 'x'], 3)
        if self.chance(.5):
            c['env'] = [self.env() for _ in range(self.random.randint(0, 4))]
        if self.chance(.5):
            c['volumeMounts'] = [self.mount() for _ in range(self.random.randint(0, 3))]
        if self.chance(.3):
            c['resources'] = {'requests': {'cpu': self.quantity(), 'memory': self.quantity()}}
        if self.chance(.3):
            c['ports'] = [{'containerPort': self.random.choice([1, 2, 3]), 'protocol': 'TCP'} for _ in range(self.random.randint(1, 3))]
        if self.chance(.3):
            c['livenessProbe'] = self.probe()
        if self.chance(.2):
            c['image'] = self.random.choice(['busybox', ''])
        if self.chance(.2):
            c['securityContext'] = {'runAsUser': 0, 'privileged': False, 'capabilities': {'drop': ['ALL'], 'add': []}}
        if directives:
            self.add_directives(c, ['command', 'env', 'volumeMounts', 'ports', 'image', 'resources', 'livenessProbe'])
            for key, name in (('env', 'name'), ('volumeMounts', 'mountPath'), ('ports', 'containerPort')):
                if not isinstance(c.get(key), list):
                    continue
                for item in c[key]:
                    if self.chance(.1):
                        item['$patch'] = self.random.choice(['delete', 'delete', 'replace', 'merge', 'x'])
                    if self.chance(.03):
                        del item[name]
                if self.chance(.1):
                    order = [{name: i.get(name)} for i in c[key]] + [{name: x} for x in self.some(['A', 'B', '/a', 1], 2)]
                    _ = self.chance(.5) and self.random.shuffle(order)
                    c[f'$setElementOrder/{key}'] = order
        return c

    def add_directives(self, thing, fields):
        if self.chance(.05):
            thing['$patch'] = self.random.choice(['replace', 'delete', 'merge', 'bogus'])
        if self.chance(.05):
            thing['$retainKeys'] = self.some(sorted(thing) + fields, 6) if self.chance(.5) else sorted(thing) + self.some(fields, 2)
        if self.chance(.08):
            thing[self.random.choice(fields)] = None
        if self.chance(.03):
            thing[self.random.choice(fields)] = self.scalar()
        if self.chance(.03):
            thing['unknown'] = {'x': self.scalar(), 'list': [None, {'y': None, '$patch': 'delete'}]}

    def metadata(self, directives):
        m = {}
        if self.chance(.7):
            m['labels'] = {k: self.random.choice(WORDS) for k in self.some(['a', 'a2', 'a10', 'b', 'tier'], 4)}
        if self.chance(.3):
            m['annotations'] = {k: self.random.choice(WORDS) for k in self.some(['n', 'o'], 2)}
        if self.chance(.3):
            m['finalizers'] = self.some(['f1', 'f2', 'f3', 'f4'], 4)
        if self.chance(.2):
            m['name'] = self.random.choice(NAMES)
        if directives:
            for k in ('labels', 'annotations'):
                if k in m and self.chance(.2):
                    m[k][self.random.choice(['a', 'b', 'n'])] = self.scalar()
            if self.chance(.2):
                m['$deleteFromPrimitiveList/finalizers'] = self.some(['f1', 'f2', 'f9'], 2)
            if self.chance(.2):
                m['$setElementOrder/finalizers'] = m.get('finalizers', []) + self.some(['f1', 'f4'], 1)
            if self.chance(.05):
                m['creationTimestamp'] = self.random.choice([None, '2024-05-01T12:00:00Z', '2024-05-01T12:00:00.5+02:00', 'x'])
            self.add_directives(m, ['labels', 'annotations', 'name'])
        return m

    def spec(self, directives):
        s = {'containers': [self.container(directives) for _ in range(self.random.randint(0 if directives else 1, 3))]}
        if not directives or self.chance(.5):
            s['volumes'] = [self.volume() for _ in range(self.random.randint(0, 4))]
            if directives and self.chance(.3) and s['volumes']:
                s['volumes'][0]['$retainKeys'] = self.random.choice([['name', 'emptyDir'], ['name', 'hostPath'], sorted(s['volumes'][0])])
        if self.chance(.3):
            s['tolerations'] = [{'operator': 'Exists'}, {'key': 'a', 'tolerationSeconds': 0}][:self.random.randint(0, 2)]
        if self.chance(.3):
            s['hostAliases'] = [{'ip': i, 'hostnames': ['h']} for i in self.some(['1.1.1.1', '2.2.2.2', '3.3.3.3'], 3)]
        if self.chance(.3):
            s['priority'] = self.random.choice([0, 2000001000])
        if self.chance(.3):
            s['securityContext'] = self.random.choice([{}, {'seccompProfile': {'type': 'RuntimeDefault'}}, {'sysctls': [{'name': 'a', 'value': 'b'}]}])
        if self.chance(.1):
            s['topologySpreadConstraints'] = [{'maxSkew': 1, 'topologyKey': k, 'whenUnsatisfiable': 'x'} for k in self.some(['k1', 'k2'], 2)]
        if directives:
            if self.chance(.2) and s['containers']:
                del s['containers']
            if self.chance(.1):
                s['$setElementOrder/containers'] = [{'name': n} for n in self.some(NAMES, 4)]
            self.add_directives(s, ['volumes', 'hostNetwork', 'priority', 'tolerations', 'containers'])
        return s

    def document(self):
        # One item a key, as in a pod that is valid.
        def unique(items, key):
            return list({i[key]: i for i in items}.values())
        spec = self.spec(False)
        spec['containers'] = unique(spec['containers'], 'name')
        spec['volumes'] = unique(spec['volumes'], 'name')
        for c in spec['containers']:
            for key, name in (('env', 'name'), ('volumeMounts', 'mountPath'), ('ports', 'containerPort')):
                if key in c:
                    c[key] = unique(c[key], name)
        return {'apiVersion': 'v1', 'kind': 'Pod', 'metadata': self.metadata(False), 'spec': spec, 'status': {}}

    def strategic(self):
        if self.chance(.02):
            return self.random.choice([None, [], 'x', 1])
        p = {}
        if self.chance(.6):
            p['metadata'] = self.metadata(True)
        if self.chance(.8):
            p['spec'] = self.spec(True)
        if self.chance(.05):
            p['status'] = {'conditions': [{'type': 'Ready', 'status': 'True'}], 'phase': 'Running', 'x': 1}
        return p

    def merge(self):
        def strip(v):
            if isinstance(v, dict):
                return {k: strip(x) for k, x in v.items() if not k.startswith('$')}
            return [strip(x) if not self.chance(.05) else None for x in v] if isinstance(v, list) else v
        return strip(self.strategic())

    def path(self, document):
        at, parts = document, []
        while isinstance(at, (dict, list)) and at and not self.chance(.15):
            key = self.random.choice(sorted(at) if isinstance(at, dict) else range(len(at)))
            parts.append(str(key))
            at = at[key]
        if self.chance(.3) or not parts:
            parts.append(self.random.choice(['x', '-', '-1', '0', '+1', '99', '-99', 'a~1b', '~0', '', '99999999999999999999', 'name']))
        path = ''.join('/' + p.replace('~', '~0').replace('/', '~1') if not p.startswith(('a~', '~0')) else '/' + p for p in parts)
        return self.random.choice(['', 'x', '/']) if self.chance(.05) else path

    def value(self, document):
        def at(path):
            v = document
            for part in path.split('/')[1:]:
                v = v[int(part)] if isinstance(v, list) else v[part.replace('~1', '/').replace('~0', '~')]
            return v
        try:
            return at(self.path(document)) if self.chance(.5) else self.random.choice([self.scalar(), self.env(), ['x'], {}])
        except (KeyError, IndexError, ValueError, TypeError):
            return 'x'

    def json(self, document):
        if self.chance(.03):
            return self.random.choice([None, {}, 'x', [1], [None], [[]]])
        operations = []
        for _ in range(self.random.randint(1, 3)):
            op = self.random.choice(['add', 'remove', 'replace', 'move', 'copy', 'test'])
            o = {'op': op, 'path': self.path(document)}
            if op in ('add', 'replace', 'test') and not self.chance(.05):
                o['value'] = self.value(document)
                if op == 'test' and self.chance(.7):
                    try:
                        v = document
                        for part in o['path'].split('/')[1:]:
                            v = v[int(part)] if isinstance(v, list) else v[part]
                        o['value'] = v
                    except (KeyError, IndexError, ValueError, TypeError):
                        pass
            if op in ('move', 'copy'):
                o['from'] = self.path(document)
            if self.chance(.04):
                o[self.random.choice(['op', 'path', 'from'])] = self.random.choice([None, 1, 'bogus', {}, []])
            if self.chance(.03):
                o.pop(self.random.choice(sorted(o)))
            operations.append(o)
        return operations

    def question(self):
        document = self.document()
        kind = self.random.choice(['strategic', 'strategic', 'strategic', 'merge', 'json', 'json'])
        patch = self.json(document) if kind == 'json' else self.merge() if kind == 'merge' else self.strategic()
        return {'type': kind, 'document': document, 'patch': patch}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('versions', nargs='+')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--count', type=int, default=400)
    parser.add_argument('--out', default=DATA)
    a = parser.parse_args()
    os.makedirs(a.out, exist_ok=True)
    for version in a.versions:
        maker = Maker(f'{a.seed} {version}')
        questions = [maker.question() for _ in range(a.count)]
        text = ''.join((json.dumps(q) + '\n') * TRIES for q in questions)
        answers = subprocess.run([build(version)], input=text, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
        with open(f'{a.out}/{version}.jsonl', 'w') as f:
            for i, question in enumerate(questions):
                same = set(answers[i * TRIES:(i + 1) * TRIES])
                answer = json.loads(same.pop())
                error = answer.get('error', '')
                wraps = int(version.split('.')[1]) < 23 and '5000000000' in json.dumps(question)
                if not same and not error.startswith('panic: ') and '%!w' not in error and not wraps:
                    f.write(json.dumps({**question, **answer}, separators=(',', ':'), ensure_ascii=False) + '\n')


if __name__ == '__main__':
    main()

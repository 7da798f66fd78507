#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bring templates/pod-types.yaml up to a new Kubernetes version, and record what the Go types say.

    update.py VERSION...                for instance 1.38.0; several are taken oldest first
    update.py --facts pod VERSION...    test/data/rows/types.json: what the Go types of these versions say beside those that it has
    update.py --facts config VERSION... the same of kubeadm's configuration (config_types.py, from source text)
    update.py --others VERSION          templates/other-types.yaml anew: the kinds that kubeadm may find in a Pod's place

Asks the Go types of k8s.io/api and k8s.io/kubelet v0.38.0 by reflection (main.go; the answer is cached) and writes what is new, gone or changed since
the file's newest rows as rows with since and until. From an empty file and one version of each minor the whole file comes out.
test/parity/go_types.py holds both tables of types beside types.json.
"""
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, '../../parity'))

from config_types import config_types_of  # noqa: E402
from go_types import expand_facts, number  # noqa: E402

FACTS = os.path.join(HERE, '../../data/rows/types.json')
FILE = os.path.join(HERE, '../../../templates/pod-types.yaml')
OTHERS = os.path.join(HERE, '../../../templates/other-types.yaml')
OTHERS_COMMENT = '''\
# The Go types of the other kinds of v1 and apps/v1 (k8s.io/api), in the rows of pod-types.yaml: where a patch makes one of them of a
# Pod, kubeadm decodes it as that before it forgets the patches, and fails where it does not fit. The newest release's fields stand
# for those of all. Made by test/peer/apitypes/update.py --others.

'''
MODULES = ['api', 'apimachinery', 'component-base', 'kubelet']
CACHE = os.path.join(os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache'), 'genphase/peer/apitypes')


def program_of(directory):
    """The program that gave the answer there."""
    with open(f'{directory}/main.go') as f:
        return f.read()


def types_of(version, *what):
    directory = f'{CACHE}/{version}'
    answer = f'{directory}/{"-".join(what) or "types"}.json'
    with open(f'{HERE}/main.go') as f:
        program = f.read()
    if not os.path.exists(answer) or program_of(directory) != program:
        os.makedirs(directory, exist_ok=True)
        module = 'v0.' + version.split('.', 1)[1]
        with open(f'{directory}/go.mod', 'w') as f:
            f.write(f'module apitypes\n\ngo 1.24\n\nrequire (\n')
            f.writelines(f'\tk8s.io/{name} {module}\n' for name in MODULES)
            f.write(')\n')
        with open(f'{directory}/main.go', 'w') as f:
            f.write(program)
        if os.path.exists(answer):
            os.unlink(answer)
        env = {**os.environ, 'GOFLAGS': '-mod=mod', 'CGO_ENABLED': '0'}
        subprocess.run(['go', 'mod', 'tidy'], cwd=directory, env=env, check=True, stderr=subprocess.DEVNULL)
        out = subprocess.run(['go', 'run', '.', *what], cwd=directory, env=env, check=True, stdout=subprocess.PIPE).stdout
        with open(f'{answer}.new', 'wb') as f:
            f.write(out)
        os.rename(f'{answer}.new', answer)
    with open(answer) as f:
        return json.load(f)


def words(field):
    """A field as the file has it, without since and until."""
    kind = field['type']
    kind = re.sub(r'map\[string\]', 'map ', kind.replace('[]', 'list ').replace('*', 'pointer '))
    out = [kind]
    if field['always']:
        out.append('always')
    if field['omitZero']:
        out.append('omitzero')
    for strategy in field['strategy']:
        out.append(f'merge={field["key"]}' if strategy == 'merge' and field['key'] else strategy)
    return ' '.join(out)


def read_file():
    """(comment lines, {type: {field: [row...]}}), in the order of the file, which is simpler than YAML at large."""
    comment, types, current, rows = [], {}, None, None
    if os.path.exists(FILE):
        with open(FILE) as f:
            for line in f.read().splitlines():
                if line.startswith('#') or not line:
                    comment += [] if types else [line]
                elif not line.startswith(' '):
                    current = types.setdefault(line.rstrip(':'), {})
                elif line.startswith('  - '):
                    rows.append(line[4:])
                else:
                    name, _, row = line.strip().partition(':')
                    rows = current[name] = [row.strip()] if row.strip() else []
    return comment, types


def write_file(comment, types):
    lines = list(comment)
    for name in sorted(types):
        lines.append(f'{name}:')
        for field, rows in types[name].items():
            lines += [f'  {field}: {rows[0]}'] if len(rows) == 1 else [f'  {field}:'] + [f'  - {row}' for row in rows]
    with open(FILE, 'w') as f:
        f.write('\n'.join(lines) + '\n')


def merge(types, new, version):
    minor = '.'.join(version.split('.')[:2])
    first = not types
    for name, fields in new.items():
        known = types.setdefault(name, {})
        since = '' if first or not known else f' since={minor}'
        for field in fields:
            rows, row = known.setdefault(field['name'], []), words(field)
            current = rows[-1] if rows and ' until=' not in rows[-1] else None
            if current and current.split(' since=')[0] == row:
                continue
            if current:
                rows[-1] += f' until={minor}'
            rows.append(row + since)
        present = {field['name'] for field in fields}
        for field, rows in known.items():
            if field not in present and ' until=' not in rows[-1]:
                rows[-1] += f' until={minor}'


def write_others(version):
    """All kinds of v1 and apps/v1 with the types below them, but for those that pod-types.yaml has."""
    known = read_file()[1]
    lines = []
    for name, fields in sorted(types_of(version, 'others').items()):
        if name not in known:
            rows = [f'  {field["name"]}: {words({**field, "always": False, "strategy": []}).replace("MicroTime", "Time")}' for field in fields or []]
            lines += [f'{name}:', *rows] if rows else [f'{name}: {{}}']
    with open(OTHERS, 'w') as f:
        f.write(OTHERS_COMMENT + '\n'.join(lines) + '\n')


def facts_of(types):
    return {name: {field['name']: words(field) for field in fields} for name, fields in types.items()}


def write_facts(what, versions):
    """{"pod": [...], "config": [...]}, each a list of {version, types...} in which a version says what differs from the one before it:
    {type: {field: row}}, null for a field that is gone and for a type that nothing has any more."""
    with open(FACTS) as f:
        every = {key: expand_facts(entries) for key, entries in json.load(f).items()}
    for version in versions:
        every[what][version] = facts_of(types_of(version) if what == 'pod' else config_types_of(version))
    lists = [f'"{key}": [\n' + ',\n'.join(entry_lines(known)) + '\n]' for key, known in every.items()]
    with open(FACTS, 'w') as f:
        f.write('{\n' + ',\n'.join(lists) + '\n}\n')


def entry_lines(known):
    before = {}
    for version in sorted(known, key=number):
        types, changes = known[version], {}
        for name in sorted({*types, *before}):
            old, new = before.get(name, {}), types.get(name)
            if new is None:
                changes[name] = None
            elif name not in before or old != new:
                changes[name] = {field: new.get(field) for field in sorted({*old, *new}) if old.get(field) != new.get(field)}
        yield '{"version": "%s", "types": {%s}}' % (version, ','.join(f'\n {json.dumps(name)}: {json.dumps(row)}' for name, row in changes.items()))
        before = types


def main():
    if sys.argv[1:2] == ['--others'] and len(sys.argv) == 3:
        write_others(sys.argv[2])
        return
    what = sys.argv[2] if sys.argv[1:2] == ['--facts'] and len(sys.argv) > 3 else None
    versions = sys.argv[3 if what else 1:]
    if not versions or what not in (None, 'pod', 'config') or not all(re.fullmatch(r'1\.\d+\.\d+', v) for v in versions):
        sys.exit(__doc__)
    versions.sort(key=number)
    if what:
        write_facts(what, versions)
        return
    comment, types = read_file()
    for version in versions:
        merge(types, types_of(version), version)
    write_file(comment, types)


if __name__ == '__main__':
    main()

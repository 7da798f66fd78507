#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bring templates/pod-types.yaml up to a new Kubernetes version.

    update.py VERSION...        for instance 1.38.0; several are taken oldest first

Asks the Go types of k8s.io/api and k8s.io/kubelet v0.38.0 by reflection (main.go; the answer is cached) and writes what is new, gone or changed since
the file's newest rows as rows with since and until. From an empty file and one version of each minor the whole file comes out.
"""
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
FILE = os.path.join(HERE, '../../../templates/pod-types.yaml')
MODULES = ['api', 'apimachinery', 'component-base', 'kubelet']
CACHE = os.path.join(os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache'), 'genphase/peer/apitypes')


def types_of(version):
    directory = f'{CACHE}/{version}'
    answer = f'{directory}/types.json'
    if not os.path.exists(answer):
        os.makedirs(directory, exist_ok=True)
        module = 'v0.' + version.split('.', 1)[1]
        with open(f'{directory}/go.mod', 'w') as f:
            f.write(f'module apitypes\n\ngo 1.24\n\nrequire (\n')
            f.writelines(f'\tk8s.io/{name} {module}\n' for name in MODULES)
            f.write(')\n')
        with open(f'{HERE}/main.go') as source, open(f'{directory}/main.go', 'w') as f:
            f.write(source.read())
        env = {**os.environ, 'GOFLAGS': '-mod=mod', 'CGO_ENABLED': '0'}
        subprocess.run(['go', 'mod', 'tidy'], cwd=directory, env=env, check=True, stderr=subprocess.DEVNULL)
        out = subprocess.run(['go', 'run', '.'], cwd=directory, env=env, check=True, stdout=subprocess.PIPE).stdout
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


def main():
    versions = sorted(sys.argv[1:], key=lambda v: [int(n) for n in v.split('.')])
    if not versions or not all(re.fullmatch(r'1\.\d+\.\d+', v) for v in versions):
        sys.exit(__doc__)
    comment, types = read_file()
    for version in versions:
        merge(types, types_of(version), version)
    write_file(comment, types)


if __name__ == '__main__':
    main()

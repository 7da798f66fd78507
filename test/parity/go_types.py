#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""templates/pod-types.yaml and config-types.yaml, each field for each Kubernetes minor, beside what the Go types say.

    go_types.py CODEC_FILTER

test/data/rows/types.json has that (test/peer/apitypes/update.py --facts; config_types.py for kubeadm's configuration). Two points a table: what the
rows of each recorded version come to, from the types that are asked for down to the last one below them; and whether each row could not be
taken away without a difference, so that none stands there unproven.
"""
import json
import os
import re

from manifest_bytes import Filter
from recordings import ROOT
from tap import Tap, arguments

FACTS = f'{ROOT}/test/data/rows/types.json'
POD_ROOTS = ['Pod', 'Deployment', 'DaemonSet', 'KubeletConfiguration', 'Taint']
CONFIG_KINDS = ['InitConfiguration', 'ClusterConfiguration', 'JoinConfiguration', 'ResetConfiguration', 'UpgradeConfiguration']


def number(version):
    return [int(n) for n in version.split('.')]


def expand_facts(entries):
    """{version: {type: {field: row}}} of what types.json has of a table: each version's differences from the one before it."""
    every, types = {}, {}
    for entry in entries:
        types = dict(types)
        for name, changes in entry['types'].items():
            rows = {**types.pop(name, {}), **(changes or {})}
            if changes is not None:
                types[name] = {field: row for field, row in rows.items() if row is not None}
        every[entry['version']] = types
    return every


def read_table(codec_filter, name):
    """{type: {field: [row...]}}"""
    with open(f'{ROOT}/templates/{name}', 'rb') as f:
        types = json.loads(Filter(codec_filter, 'read').ask(f.read()))
    return {name: {field: rows if isinstance(rows, list) else [rows] for field, rows in fields.items()} for name, fields in types.items()}


def counts_for(row, version):
    since, until = (re.search(rf' {word}=(\S+)', row) for word in ('since', 'until'))
    return not (since and version < number(since[1])) and not (until and version >= number(until[1]))


def in_force(rows, version):
    """The first that counts, without its range; None where there is none."""
    return next((re.sub(r' (since|until)=\S+', '', row) for row in rows if counts_for(row, version)), None)


def struct_of(row):
    """The type of an item, which may be one of the table's: "Arg.v1beta4" of "list Arg.v1beta4 always"."""
    return re.sub(r'^(pointer|list|map) ', '', row).split(' ')[0]


def without_api(row):
    return re.sub(r'\b([A-Z]\w*)\.\w+', r'\1', row)


def types_below(table, go, roots, version):
    """(the table's name of a type, Go's) of the roots and all below them; the name of one may be that of another API version in the table."""
    pairs = [(root, root) for root in roots]
    for name, go_name in pairs:
        for field, row in go[go_name].items():
            have = in_force(table.get(name, {}).get(field, []), version)
            pair = (struct_of(have or row), struct_of(row))
            if pair[1] in go and pair not in pairs:
                pairs.append(pair)
    return pairs


def wanted_rows(table, every, roots_of):
    """{(type, field): [(version, row or None)]}, for the types that are asked for."""
    wanted = {}
    for version, go in every.items():
        for name, go_name in types_below(table, go, roots_of(go), number(version)):
            for field in {*go[go_name], *table.get(name, {})}:
                wanted.setdefault((name, field), []).append((version, go[go_name].get(field)))
    return wanted


def same(have, want):
    return have == want if None in (have, want) else without_api(have) == without_api(want)


def differences(table, wanted):
    for (name, field), rows in sorted(wanted.items()):
        for version, want in rows:
            have = in_force(table.get(name, {}).get(field, []), number(version))
            if not same(have, want):
                yield f'kubeadm {version}, {name}.{field}: {have or "no field"}; the Go type: {want or "no field"}'


def unproven(table, wanted):
    """Rows that may go without a difference, or whose range overlaps another's or is finer than what is recorded."""
    for name, fields in table.items():
        for field, rows in fields.items():
            for i, row in enumerate(rows):
                rest, known = rows[:i] + rows[i + 1:], wanted.get((name, field), [])
                if all(same(in_force(rest, number(version)), want) for version, want in known):
                    yield f'{name}.{field}: nothing notices that "{row}" is gone'
                if any(counts_for(row, number(version)) and in_force(rest[i:], number(version)) for version, _ in known):
                    yield f'{name}.{field}: "{row}" counts beside another'
                for minor, patch in re.findall(r'(?:since|until)=(\d+\.\d+)\.(\d+)', row):
                    if not {f'{minor}.{patch}', f'{minor}.{int(patch) - 1}'} <= {version for version, _ in known}:
                        yield f'{name}.{field}: "{row}" names a patch release, which is not recorded with the one before it'


def unrecorded(every):
    recorded = {tuple(number(version)[:2]) for version in every}
    with open(f'{ROOT}/templates/versions.yaml') as f:
        minors = re.findall(r'^- v(1\.\d+)\.', f.read(), re.MULTILINE)
    return [f'{minor}: no release of it in types.json' for minor in minors if tuple(number(minor)) not in recorded]


def as_read(go):
    """v1beta1 is never written: what is empty in it is kept as v1beta2 does, into which kubeadm reads it."""
    def row_of(name, field, row):
        newer = go.get(name.replace('.v1beta1', '.v1beta2'), {}).get(field, row)
        return re.sub(' always$', '', row) + (' always' if newer.endswith(' always') else '')

    return {name: {field: row_of(name, field, row) for field, row in fields.items()} for name, fields in go.items()}


def pod_roots(go):
    return POD_ROOTS


def config_roots(go):
    return [name for name in go if name.split('.')[0] in CONFIG_KINDS]


def main():
    codec_filter, = arguments(__doc__, 'CODEC_FILTER')
    with open(FACTS) as f:
        facts = {what: expand_facts(entries) for what, entries in json.load(f).items()}
    tap = Tap(4)
    for what, roots_of in ('pod', pod_roots), ('config', config_roots):
        name = f'{what}-types.yaml'
        table, every = read_table(codec_filter, name), {version: as_read(go) for version, go in facts[what].items()}
        wanted = wanted_rows(table, every, roots_of)
        tap.point(f'{name}, {len(every)} releases', [*unrecorded(every), *differences(table, wanted)])
        tap.point(f'{name}, {sum(map(len, table.values()))} fields, each needed', list(unproven(table, wanted)))
    tap.exit()


if __name__ == '__main__':
    main()

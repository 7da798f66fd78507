#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`genphase explain`: the manifest is the one that is written, every line has a source, and the source is true: a line of the
configuration, of a patch or of the templates holds what it is said to have brought.

    test_explain.py GENPHASE [--update]     --update writes the expected texts anew
"""
import json
import os
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
sys.path.insert(0, f'{ROOT}/test/parity')
from tap import Tap, arguments  # noqa: E402

GIVEN, UPDATE = arguments(__doc__, 'GENPHASE', '--update')
GENPHASE = os.path.abspath(GIVEN)
CONFIGS = f'{ROOT}/test/data/parity'
EXPECTED = f'{ROOT}/test/data/explain'
PATCHES = {'kube-scheduler+strategic.yaml': 'metadata:\n  labels: {tier: night}\nspec:\n  containers:\n  - name: kube-scheduler\n'
           '    resources: {requests: {cpu: 250m}}\n',
           'kube-schedulerz+json.yaml': '# two documents\n---\n- {op: add, path: /spec/containers/0/command/-, value: --v=7}\n'
           '---\n- {op: remove, path: /spec/containers/0/startupProbe}\n'}
# name: (arguments, environment)
CASES = {
    'full': (['all', '--config', 'full.yaml'], {}),
    'v1beta3': (['apiserver', 'controller-manager', '--config', 'v1beta3.yaml', '--kubeadm-version', 'v1.36.3'],
                {'https_proxy': 'http://proxy:3128'}),
    'flags-1.20': (['scheduler', 'etcd', '--kubernetes-version', 'v1.20.5', '--apiserver-advertise-address', '192.0.2.7', '--node-name',
                    'n1', '--scheduler-extra-args', 'v=4,bind-address=0.0.0.0', '--cert-dir', '/srv/pki', '--feature-gates',
                    'IPv6DualStack=true'], {}),
    'patched': (['scheduler', '--kubernetes-version', 'v1.36.3', '--patches', 'patches'], {}),
    'arguments': (['apiserver', 'scheduler', '--config', 'arguments.yaml'], {}),
}
# The kubeadm of each case: the newest known of its minor.
KUBEADM = {'full': (1, 36, 3), 'v1beta3': (1, 36, 3), 'flags-1.20': (1, 20, 15), 'patched': (1, 36, 3), 'arguments': (1, 30, 14)}
# What follows from a setting without having its words in it: the setting.
FOLLOWS = {'--allocate-node-cidrs=true': 'podSubnet', 'failureThreshold: 12': 'timeoutForControlPlane', 'bindAddress: 0.0.0.0': 'advertiseAddress'}
# How many of their manifests a phase writes from the same command line.
COMPARED = {'full': 4, 'v1beta3': 2, 'flags-1.20': 0, 'patched': 1, 'arguments': 2}


def prepare(directory):
    for where in (CONFIGS, EXPECTED):
        for name in os.listdir(where):
            os.symlink(f'{where}/{name}', f'{directory}/{name}')
    os.makedirs(f'{directory}/root/etc/ca-certificates')
    os.makedirs(f'{directory}/patches')
    for name, text in PATCHES.items():
        with open(f'{directory}/patches/{name}', 'w') as f:
            f.write(text)


def genphase(directory, *args, **env):
    return subprocess.run([GENPHASE, '--rootfs', 'root', *args], cwd=directory, capture_output=True, text=True, timeout=60,
                          env={'PATH': '/usr/bin:/bin', **env})


def explain(directory, args, env):
    """The objects of `-o json`, and problems."""
    result = genphase(directory, 'explain', *args, '-o', 'json', **env)
    return [json.loads(line) for line in result.stdout.splitlines()], [] if result.returncode == 0 else [result.stderr]


def expected_text(directory, name):
    """The text for people is the expected one. Lines of the templates move when the templates change: left out."""
    args, env = CASES[name]
    text = re.sub(r'(templates/[\w-]+\.yaml:)\d+ *', r'\1N ', genphase(directory, 'explain', *args, **env).stdout)
    text = re.sub(r' +\|', ' |', text)
    path = f'{EXPECTED}/{name}.txt'
    if UPDATE:
        with open(path, 'w') as f:
            f.write(text)
    with open(path) as f:
        wanted = f.read()
    return [] if text == wanted else [f'{path}: differs', *(line for line in text.splitlines() if line not in wanted.splitlines())]


def same_bytes(directory, name):
    """The lines, put together, are what the phases print."""
    args, env = CASES[name]
    options = args[next(at for at, a in enumerate(args) if a.startswith('--')):]
    lines, problems = explain(directory, args, env)
    documents, compared = {}, 0
    for line in lines:
        documents.setdefault(line['component'], []).append(line)
    documents.pop('kube-proxy', None)  # its configuration file is explained with it
    for component, its in documents.items():
        phase = ['etcd', 'local'] if component == 'etcd' else ['control-plane', component.removeprefix('kube-')]
        written = genphase(directory, *phase, *options, '-o', 'yaml', **env)
        compared += written.returncode == 0
        if [line['line'] for line in its] != list(range(1, len(its) + 1)):
            problems.append(f'{component}: the lines are not numbered')
        # A phase alone does not take the flags of the others.
        if written.returncode == 0 and written.stdout != ''.join(f"{line['text']}\n" for line in its):
            problems.append(f'{component}: explain shows another manifest than the phase writes')
    if compared != COMPARED[name]:
        problems.append(f'{compared} manifests compared, {COMPARED[name]} expected')
    return problems


def lines_of(directory, source):
    """The lines of the file that a source names, from its line on; none where it has no such line."""
    with open(f"{ROOT if source['file'].startswith('templates/') else directory}/{source['file']}") as f:
        return f.read().split('\n')[source['line'] - 1:] if source['line'] > 0 else []


def settings_at(lines, column):
    """What stands at a column of the first line: "key: value" of it and of the lines below it that belong to it, by key; a value alone has
    the key in front of it."""
    first, before = lines[0][column - 1:], lines[0][:column - 1]
    if re.search('[{[]', before):
        first = re.split('[]},]', first)[0]
    own = [first]
    for line in lines[1:]:
        if not line.strip() or len(line) - len(line.lstrip()) < column - 1:
            break
        own.append(line)
    found = {}
    for line in own:
        key, value = re.match(r'\s*(?:([\w./-]+): +)?(.*)$', line).groups()
        found[key or (re.search(r'([\w-]+): *"?$', before) or ['', ''])[1]] = value.strip('"')
    return found


def brought_by_setting(text, there, column):
    """Whether a setting can bring a line of a manifest: an item with a name, a key with its value, or a value alone."""
    found, value = settings_at(there, column), re.split(r'[=:]\s*', text, maxsplit=1)[-1].strip('"')
    alone = re.match(r'[\w./-]+: ', there[0][column - 1:]) is None
    if not re.search(r'[ {]"?$', there[0][:column - 1]) or (alone and len(found) > 1):
        return False
    first, given = next(iter(found.items()))
    if text in FOLLOWS:
        return FOLLOWS[text] in found
    if text.startswith('--') and not alone:
        return text == (f'--{given}={found["value"]}' if first == 'name' else f'--{first}={given}')
    if not alone and first != 'name':
        return False
    # What a probe asks and a port is, is a part of the argument that says where to listen.
    return text in ('env:', 'hostPath:') or any(part and part in text for part in found.values()) or value.lower() in found.get('value', '')


def brought_by_row(line, source, there, kubeadm):
    """Whether a row of an era table can bring a line of a manifest: it counts for that kubeadm, and has that field and that value."""
    row, text = there[0], line['text'].strip().removeprefix('- ')
    known = re.match(r'- \{path: "?([^",]+)"?, ', row)
    if not known:
        return False
    for key, counts in (('since', lambda limit: limit <= kubeadm), ('until', lambda limit: kubeadm < limit)):
        limit = re.search(rf'{key}: "?([0-9.]+)', row)
        if limit and not counts(tuple(map(int, limit[1].split('.')))):
            return False
    value = re.match(r'"?((?<=")[^"]*|[^,}]*)', row[source['column'] - 1:])[1]
    pattern = re.sub(r'\\\$\\\{\w+\\\}', '.+', re.escape(value))
    kind, _, field = known[1].partition('.')
    if kind in ('pod', 'config'):
        return field == line['field'] and re.fullmatch(pattern, re.split(r':\s*', text, maxsplit=1)[-1].strip('"')) is not None
    if kind == 'args':
        return re.fullmatch(f'--{field}={pattern}', text) is not None
    image = rf'image: {pattern}/.*' if kind == 'imageRepository' else rf'image: .*/{kind}:{pattern}'
    return re.fullmatch(image, text) is not None


def check_source(directory, line, source, kubeadm):
    """The line of the file that is named must be able to bring the text."""
    text = line['text'].strip().removeprefix('- ')
    if source['source'] == 'computed':
        return f"{line['field']}: no source"
    if 'file' not in source or source['source'] in ('host', 'flag'):
        return None
    there = lines_of(directory, source)
    if not there:
        return f"{line['field']}: {source['file']} has no line {source['line']}"
    value = re.split(r'[=:]\s*', text, maxsplit=1)[-1].strip('"')
    if source['source'] == 'configuration':
        true = brought_by_setting(text, there, source['column'])
    elif source['source'] == 'era row':
        true = brought_by_row(line, source, there, kubeadm)
    elif source['source'] == 'default':
        whole = there[0].strip().removeprefix('- ') or ' '
        true = text.endswith(':') or '${' in there[0] or text.strip('"') in there[0] or text.startswith(whole)  # something may be appended
    else:
        true = not value or text.endswith(':') or any(part in there[0] for part in value.split(','))
    return None if true else f"{line['field']}: line {source['line']} of {source['file']} is {there[0]!r}, not {text!r}"


def true_sources(directory, name):
    lines, problems = explain(directory, *CASES[name])
    return problems + [p for line in lines for source in (line['from'], line['from'].get('also')) if source
                       for p in [check_source(directory, line, source, KUBEADM[name])] if p]


def field(lines, name):
    return next(line['from'] for line in lines if line['field'] == name)


def kinds(directory):
    """Every kind of source is told apart."""
    seen = set()
    for args, env in CASES.values():
        lines, _ = explain(directory, args, env)
        for line in lines:
            seen.add(line['from']['source'])
            seen.add(line['from'].get('also', {}).get('source'))
    wanted = {'default', 'era row', 'configuration', 'flag', 'environment', 'host', 'patch'}
    problems = [f'never seen: {kind}' for kind in wanted - seen]
    lines, _ = explain(directory, *CASES['full'])
    image = next(line['from'] for line in lines if line['text'].strip().startswith('image: registry.example.org:5000/k8s/kube-api'))
    if (image['file'], image['line'], image['also']['line']) != ('full.yaml', 15, 17):
        problems.append(f'image: {image}')
    lines, _ = explain(directory, *CASES['flags-1.20'])
    extra = next(line['from'] for line in lines if line['text'].endswith('--v=4'))
    if extra.get('flag') != '--scheduler-extra-args':
        problems.append(f'--v=4: {extra}')
    return problems


def beyond(directory):
    """What no kubeadm does is marked, with what it changed beside it; nothing else is."""
    lines, problems = explain(directory, *CASES['arguments'])
    marked = {line['text'].strip('- '): line['from'] for line in lines if line.get('beyondKubeadm')}
    wanted = {'enable-admission-plugins=NodeRestriction,AlwaysPullImages': 15, 'service-account-issuer=https://old.example.org': 16,
              'profiling=false': 17}
    found = {text: source['line'] for text, source in marked.items()}
    if found != wanted:
        problems.append(f'marked: {found}')
    elif marked['enable-admission-plugins=NodeRestriction,AlwaysPullImages']['also']['source'] != 'default':
        problems.append('the list that was appended to is not named')
    if any('leader-elect=' in line['text'] for line in lines):
        problems.append('what was removed is there')
    return problems


def refusals(directory):
    problems = []
    for args, text in ((['schedular', '--config', 'plain.yaml'], 'did you mean "scheduler"?'),
                       (['etcd', '--config', 'external-etcd.yaml'], 'the configuration has an external etcd'),
                       (['all', '--config', 'bad-name.yaml'], 'bad-name.yaml:')):
        result = genphase(directory, 'explain', *args)
        if result.returncode == 0 or text not in result.stderr or result.stdout:
            problems.append(f'{args}: exit {result.returncode}, {result.stderr}')
    if 'manifests/etcd.yaml' in genphase(directory, 'explain', '--config', 'external-etcd.yaml').stdout:
        problems.append('an external etcd is explained')
    return problems


def main():
    tap = Tap(3 * len(CASES) + 3)
    with tempfile.TemporaryDirectory() as directory:
        prepare(directory)
        for name in CASES:
            tap.point(f'{name}: text', expected_text(directory, name))
            tap.point(f'{name}: the same manifest', same_bytes(directory, name))
            tap.point(f'{name}: sources are true', true_sources(directory, name))
        tap.point('kinds of sources', kinds(directory))
        tap.point('beyond kubeadm', beyond(directory))
        tap.point('refused', refusals(directory))
    tap.exit()


if __name__ == '__main__':
    main()

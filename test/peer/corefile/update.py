#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the library by which kubeadm migrates Corefiles says and does (github.com/coredns/corefile-migration).

    update.py VERSION...            templates/coredns.yaml, of the last VERSION (1.0.34); what the others say must be the beginning of that
    update.py --answers             test/data/corefile/answers.jsonl: what the library does with the Corefiles of questions.json there

Each kubeadm links one version of the library (go.mod of k8s.io/kubernetes), whose newest CoreDNS release is the one that this kubeadm
brings; LIBRARIES names those of which answers are recorded, of the older ones what a newer one answers otherwise. Nothing of the library's code is kept: tables_test.go is laid into a copy of its
source and run there.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, '../../..')
FILE = f'{ROOT}/templates/coredns.yaml'
DATA = f'{ROOT}/test/data/corefile'
LIBRARIES = {'1.20.15': '1.0.10', '1.21.14': '1.0.11', '1.36.3': '1.0.31', '1.37.1': '1.0.34'}
COMMENT = '''\
# What kubeadm knows of CoreDNS releases when it finds a Corefile: it replaces one that is the default of any of them, and migrates one that
# uses what was removed since or lacks what became a default (lib/phase/corefile_migration.h). Made by test/peer/corefile/update.py.
#   versions    oldest first; a kubeadm knows those up to its own (images.yaml, coredns)
#   defaults    "*" stands for one word, "***" for the rest of the line; the order of lines is free
#   changes     {plugin, option, since, until, ...} of a plugin, of an option of it, or of the Corefile as a whole (before or after what is done
#               to its lines), for releases since <= release < until:
#               status      deprecated, ignored, removed, or newdefault: `add` is the line that is added, a plugin to server blocks with one of `to`
#               action      what a migration does (lib/phase/corefile_rules.c); not while it is deprecated
'''


def run(library, test, questions=None):
    """The lines that a test of tables_test.go writes with a version of the library."""
    env = {**os.environ, 'GOFLAGS': '-mod=mod', 'CGO_ENABLED': '0'}
    with tempfile.TemporaryDirectory(prefix='corefile-') as directory:
        with open(f'{directory}/go.mod', 'w') as f:
            f.write('module tables\n\ngo 1.24\n')
        got = subprocess.run(['go', 'mod', 'download', '-json', f'github.com/coredns/corefile-migration@v{library}'], cwd=directory, env=env, check=True,
                             stdout=subprocess.PIPE)
        package = f'{directory}/library/migration'
        shutil.copytree(json.loads(got.stdout)['Dir'], f'{directory}/library', copy_function=shutil.copyfile)
        for path, _, names in os.walk(f'{directory}/library'):
            os.chmod(path, 0o755)
            for name in names:
                if name.endswith('_test.go'):
                    os.unlink(f'{path}/{name}')
        with open(f'{package}/plugins.go') as f:
            before = 'copyKubernetesTransferOptToPlugin' in f.read()
        shutil.copyfile(f'{HERE}/tables_test.go', f'{package}/tables_test.go')
        with open(f'{package}/whole_test.go', 'w') as f:
            f.write(whole_actions(before))
        env.update(ANSWERS=f'{directory}/answers', QUESTIONS=f'{directory}/questions')
        with open(env['QUESTIONS'], 'w') as f:
            json.dump(questions, f)
        subprocess.run(['go', 'test', './migration', '-count=1', '-run', f'^{test}$'], cwd=f'{directory}/library', env=env, check=True, stdout=subprocess.DEVNULL)
        with open(env['ANSWERS']) as f:
            return [json.loads(line) for line in f]


def whole_actions(before):
    """The first versions of the library have nothing that is done before the lines."""
    return ('package migration\n\ntype wholeAction struct {\n\twhen     string\n\tfunction corefileAction\n}\n\n'
            + ('func init() {\n\tactionNames[address(copyKubernetesTransferOptToPlugin)] = "copyTransfer"\n}\n\n' if before else '')
            + 'func wholeActions(v release) []wholeAction {\n\treturn []wholeAction{'
            + ('{"before", v.preProcess}, ' if before else '') + '{"after", v.postProcess}}\n}\n')


def releases_of(library):
    """Its releases in order, each with its default Corefile and what it says."""
    known = {row['version']: row for row in run(library, 'TestTables')}
    followers = {row['next'] for row in known.values()}
    version, out = next(v for v in known if v not in followers), []
    while version:
        row = known[version]
        out.append((version, row['default'], {json.dumps(fact, sort_keys=True) for fact in row['facts'] or []}))
        version = row['next']
    if len(out) != len(known):
        sys.exit(f'{library}: the releases are no chain')
    return out


def rows_of(releases):
    """Facts that hold for releases one after another as rows with since and until."""
    rows, begun = [], {}
    for version, _, facts in [*releases, (None, None, set())]:
        for fact in [fact for fact in begun if fact not in facts]:
            rows.append({**json.loads(fact), 'since': begun.pop(fact), **({'until': version} if version else {})})
        for fact in facts:
            begun.setdefault(fact, version)
    order = [version for version, _, _ in releases]
    return sorted(rows, key=lambda row: (row.get('plugin', ''), row.get('option', ''), order.index(row['since'])))


def flow(row):
    keys = ['plugin', 'option', 'whole', 'since', 'until', 'status', 'replacedBy', 'action', 'add', 'to']
    text = {key: f'[{", ".join(row[key])}]' if key == 'to' else row[key] for key in keys if key in row}
    return '{' + ', '.join(f'{key}: {value}' for key, value in text.items()) + '}'


def lines_of(text):
    """A Corefile with tabs as what they stand for."""
    return [line.replace('\t', '    ') for line in text.strip().splitlines()]


def write_file(releases):
    versions, lines, defaults = [version for version, _, _ in releases], [], []
    for at in range(0, len(versions), 14):
        lines.append('  ' + ', '.join(versions[at:at + 14]) + (',' if at + 14 < len(versions) else ']'))
    for _, default, _ in releases:
        if default and lines_of(default) not in defaults:
            defaults.append(lines_of(default))
    with open(FILE, 'w') as f:
        f.write(COMMENT + 'versions: [\n' + '\n'.join(lines) + '\ndefaults:\n')
        for default in defaults:
            f.write('- |\n' + ''.join(f'  {line}\n' for line in default))
        f.write('changes:\n' + ''.join(f'- {flow(row)}\n' for row in rows_of(releases)))


def check_older(library, releases):
    older = releases_of(library)
    for a, b in zip(older, releases):
        if (a[0], lines_of(a[1]), a[2]) != (b[0], lines_of(b[1]), b[2]):
            sys.exit(f'{library} says something else of CoreDNS {a[0]}')
    print(f'{library}: {older[-1][0]}')


def write_answers():
    with open(f'{DATA}/questions.json') as f:
        questions = json.load(f)
    with open(f'{DATA}/answers.jsonl', 'w') as f:
        for kubeadm, library in LIBRARIES.items():
            to = releases_of(library)[-1][0]
            asked = [{'kubeadm': kubeadm, 'from': version, 'to': to, 'corefile': q['corefile']} for q in questions for version in q['from']
                     if kubeadm == max(LIBRARIES) or version == to or q is questions[-1]]
            for answer in run(library, 'TestAnswers', asked):
                f.write(json.dumps(answer, ensure_ascii=False) + '\n')


def main():
    libraries = sorted(sys.argv[1:], key=lambda text: [int(n) for n in text.split('.')] if re.fullmatch(r'1\.\d+\.\d+', text) else [])
    if sys.argv[1:] == ['--answers']:
        write_answers()
        return
    if not libraries or not re.fullmatch(r'1\.\d+\.\d+', libraries[0]):
        sys.exit(__doc__)
    releases = releases_of(libraries[-1])
    for library in libraries[:-1]:
        check_older(library, releases)
    write_file(releases)


if __name__ == '__main__':
    main()

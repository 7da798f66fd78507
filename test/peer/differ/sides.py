# SPDX-License-Identifier: Apache-2.0
"""Run a case with kubeadm and with genphase, each in a tree of its own, and say what differs."""
import difflib
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile

from . import host as recorded_host
from .case import CONFIG

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'parity'))
from dialogue import SERVER, Dialogue, certificate, kubeconfig, without_chance  # noqa: E402
from facts import differences, tree as certificate_facts  # noqa: E402

TIMEOUT_SECONDS = 60
PHASES_OF_INIT = {'control-plane', 'etcd', 'certs', 'kubeconfig', 'addon', 'preflight', 'kubelet-start', 'wait-control-plane', 'upload-config', 'upload-certs', 'mark-control-plane', 'bootstrap-token', 'kubelet-finalize'}
# Verbs of the same first word that are no phases.
NOT_OF_INIT = (['certs', 'check-expiration'], ['certs', 'renew'], ['certs', 'generate-csr'], ['certs', 'certificate-key'], ['kubeconfig', 'user'])
KLOG = re.compile(r'^[IWEF]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ \S+?\] ')
OUR_WARNING = re.compile(r'^(?:[^\s:]+:\d+:\d+: )?warning: |^[^\s:]+:\d+:\d+: warning: ')
SUGGESTION = re.compile(r'; did you mean \S+\?$')
# What the libraries below kubeadm say about text that they cannot read, or that does not fit a Go type. Ours may say it better, but
# must say where.
DECODER = re.compile(r'json: |error unmarshaling|error converting YAML|yaml: |strict decoding error|cannot unmarshal|ReadString|readUint|failed to decode|strconv\.Parse|error found in #|'
                     r'unmarshal patched manifest|invalid character|looking for beginning of value|couldn\'t get version/kind|Object \'Kind\' is missing|ReadMapCB|ReadArray|skipThreeBytes|decode slice|'
                     r'unable to decode|time: |quantities must match|parsing time|json patch|expects |expect .* but found|illegal base64')
PLACE = re.compile(r'\S+:\d+:\d+: |patches/\S+|--\w[\w-]*|"[^"]+" flag')


# kubeadm names the printers of kubectl, most of which genphase has not.
PRINTERS = re.compile(r'(?<=, allowed formats are: ).*')
OWNER = re.compile(r'\d+:\d+')
GIVEN = re.compile(r'\.(key|pub|conf)$')
KIND = r'schema\.GroupVersionKind\{[^}]*\}'


class Result:
    def __init__(self, exit_status, stdout, stderr, manifests, files, said=None):
        self.exit, self.stdout, self.stderr, self.manifests, self.files = exit_status, stdout, stderr, manifests, files
        self.said = said or {}  # what a scripted API server tells of a run beside it

    def error(self):
        """What a user reads as the reason of a failure: stderr without log lines, warnings and the hint about stack traces."""
        if self.exit == 0:
            return ''
        lines = [line for line in self.stderr.splitlines() if line.strip() and not line.startswith('To see the stack trace')]
        starts = [i for i, line in enumerate(lines) if line.startswith('error: ')]
        if starts:
            lines = lines[starts[-1]:]
        kept, log = [], False  # a log line of several lines goes on with a space
        for line in lines:
            log = bool(KLOG.match(line) or OUR_WARNING.match(line)) or log and line.startswith(' ')
            kept += [] if log else [line]
        return SUGGESTION.sub('', _in_order(_without_pointers(re.sub(r'^error: ', '', '\n'.join(kept)))))

    def warnings(self):
        """Log lines, without time and place in the source."""
        return [text for line in self.stderr.splitlines() if KLOG.match(line) or OUR_WARNING.match(line)
                for text in [OUR_WARNING.sub('', KLOG.sub('', line))]]


def is_phase(args):
    """Whether a command is a phase of `kubeadm init`."""
    return args[0] in PHASES_OF_INIT and list(args[:2]) not in NOT_OF_INIT


TOKEN = re.compile(r'(?<![a-z0-9.])[a-z0-9]{6}\.[a-z0-9]{16}(?![a-z0-9])')


def _without_chance(text, row):
    """What is printed, with what is made by chance left out: tokens that the case did not give, keys and certificates."""
    given = json.dumps(row['inputs'])
    text = TOKEN.sub(lambda m: m[0] if m[0] in given or m[0] == 'abcdef.0123456789abcdef' else '<token>', text)
    if row['args'][:2] == ['certs', 'generate-csr']:
        text = ''.join(sorted(text.splitlines(True)))  # kubeadm goes through Go maps
    if row['args'][:2] == ['certs', 'check-expiration']:
        text = re.sub(r'[A-Z][a-z]{2} \d\d, \d{4} \d\d:\d\d UTC', 'DATE', text)
    return re.sub(r'((?:certificate|key)-data: )\S+', r'\1<base64>', text)


def _without_pointers(text):
    """Where Go prints the address of an object."""
    return re.sub(r'\(0x[0-9a-f]+\)', '', text)


def _in_order(text):
    """What validateKnownGVKs names in the order of a Go map."""
    def ordered(match):
        return f"{match[1]}{', '.join(sorted(re.findall(KIND, match[2])))}}}"
    return re.sub(rf'(unknown configuration APIs: .*?\{{)({KIND}(?:, {KIND})*)\}}', ordered, text)


def _write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='utf-8', newline='', errors='surrogatepass') as f:
        f.write(text)
    os.chmod(path, 0o600 if path.endswith(('.key', '.conf')) else 0o644)


def _prepare(root, row):
    for path, text in row['tree'].items():
        if text is None:
            os.makedirs(f'{root}/{path}', exist_ok=True)
        elif isinstance(text, dict) and 'kubeconfig' in text:
            _write(f'{root}/{path}', kubeconfig(text['kubeconfig'], text.get('server', SERVER)))
        elif isinstance(text, dict) and 'certificate' in text:
            _write(f'{root}/{path}', certificate(text['certificate']))
        elif isinstance(text, dict):
            os.makedirs(os.path.dirname(f'{root}/{path}'), exist_ok=True)
            os.symlink(text['link'], f'{root}/{path}')
        else:
            _write(f'{root}/{path}', text)
    for name, text in row['inputs'].items():
        _write(f'{root}/{name}', text)


def _collect(root, inputs, with_certificates, skip):
    manifests, files = {}, {}
    for directory, names, plain in os.walk(root):
        for name in names + plain:
            path = os.path.join(directory, name)
            relative = os.path.relpath(path, root)
            if relative in inputs or skip(relative):
                continue
            status = os.lstat(path)
            fact = [oct(status.st_mode)]
            if status.st_uid or status.st_gid:
                fact.append(f'{status.st_uid}:{status.st_gid}')
            if name in plain and not os.path.islink(path):
                with open(path, 'rb') as f:
                    content = f.read()
                if relative.startswith(('etc/kubernetes/manifests/', 'var/lib/kubelet/')):
                    manifests[relative.removeprefix('etc/kubernetes/manifests/')] = content.decode('utf-8', 'backslashreplace')
                elif not with_certificates:
                    fact.append(hashlib.sha256(content).hexdigest())
            files[relative] = fact
    return manifests, files


class Side:
    """A program: the words before the verb, whether `init phase` goes before a phase, and what it is."""

    def __init__(self, program, words, init_phase):
        self.program, self.words, self.init_phase = program, words, init_phase

    def command(self, row, args, root):
        if self.init_phase and is_phase(args):
            args = ['init', 'phase', *args]
        if 'host' not in row:
            # In front: behind them an option that has lost its value would take it for one.
            return [self.program, *self.words, f'--rootfs={root}', *args]
        return recorded_host.command(root, row['host'], [self.program, *self.words, *args], self.shared())

    def shared(self):
        """Directories of the machine that the program needs on a recorded host."""
        return sorted({os.path.dirname(self.program), *(word for word in self.words if os.path.isdir(word))})

    def run(self, row):
        with tempfile.TemporaryDirectory(prefix='differ-') as root, tempfile.TemporaryDirectory(prefix='dialogue-') as beside:
            _prepare(root, row)
            env = {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'HOME': '/root', **row['env']}
            dialogue = Dialogue(row, beside) if 'server' in row else None
            for args in row.get('before', []):
                subprocess.run(self.command(row, args, root), cwd=root, env=env, capture_output=True, timeout=TIMEOUT_SECONDS, check=True)
            try:
                p = subprocess.run([*(dialogue.words if dialogue else []), *self.command(row, row['args'], root)], cwd=root, env=env, capture_output=True,
                                   stdin=subprocess.DEVNULL, timeout=TIMEOUT_SECONDS)
                status, out, err = p.returncode, p.stdout, p.stderr
            except subprocess.TimeoutExpired:
                status, out, err = 'timeout', b'', b''
            certificates = row['args'][0] in ('certs', 'kubeconfig')
            manifests, files = _collect(root, row['inputs'], certificates, lambda path: 'host' in row and recorded_host.is_furniture(path, self.shared()))
            if certificates:
                try:
                    files['certificates'] = certificate_facts(f'{root}/etc/kubernetes', closely=row.get('compare') == 'closely')
                except (subprocess.CalledProcessError, TypeError):
                    files['certificates'] = 'unreadable'  # as the case wanted it; what was written is compared by its mode
            out = out.decode('utf-8', 'backslashreplace').replace(root, '')
            err = err.decode('utf-8', 'backslashreplace').replace(root, '')
            if dialogue:
                out, err = without_chance(out), dialogue.without_tokens(err)
            return Result(status, _without_chance(out, row), err, manifests, files, dialogue.result() if dialogue else None)


def kubeadm_side(path):
    return Side(path, [], True)


def genphase_side(path, version, options=()):
    return Side(path, ['--kubeadm-version', version, *options], False)


def _diff(theirs, ours):
    return '\n'.join(list(difflib.unified_diff(theirs.splitlines(), ours.splitlines(), 'kubeadm', 'genphase', lineterm='', n=1))[:40])


def without_order(manifest):
    """A manifest with the variables of its environment sorted: kubeadm 1.28 to 1.31 wrote them in the order of a Go map."""
    return re.sub(r'(?<=    env:\n)(?:    - .*\n|      .*\n)*', lambda m: ''.join(sorted(re.split(r'(?=^    - )', m[0], flags=re.M))), manifest)


def _without_owners(files):
    """Where a phase failed: kubeadm has made its users and given files to them by then (RootlessControlPlane), ours leaves all as it was."""
    return {path: [word for word in fact if not OWNER.fullmatch(word) and not (GIVEN.search(path) and word.startswith('0o'))] if isinstance(fact, list) else fact
            for path, fact in files.items() if path not in ('etc/passwd', 'etc/group')}


def compare(theirs, ours, minor):
    """What differs from kubeadm 1.`minor`: field to a text that shows it."""
    found = {}
    if 28 <= minor <= 31:
        for side in (theirs, ours):
            side.manifests = {name: without_order(text) for name, text in side.manifests.items()}
    if theirs.exit != ours.exit:
        found['exit'] = f'kubeadm {theirs.exit}: {theirs.error()[:1500]}\ngenphase {ours.exit}: {ours.stderr[-1500:]}'
    elif theirs.exit:
        a, b = theirs.error(), ours.error()
        better = 'x509: ' in a and b.startswith(a)  # the TLS library's own words behind Go's
        better = better or re.search(r': expected .* found ', b)  # a type is told before what kubeadm finds later
        a, b = (PRINTERS.sub('', text) for text in (a, b))
        if a != b and not better and not (DECODER.search(a) and PLACE.search(ours.stderr)):
            found['error'] = f'kubeadm:  {a[:1500]}\ngenphase: {b[:1500]}'
    if theirs.stdout != ours.stdout:
        found['stdout'] = _diff(theirs.stdout, ours.stdout)
    for what in ('written', 'objects'):
        if theirs.said.get(what) != ours.said.get(what):
            found[what] = _diff(*(json.dumps(side.said.get(what), indent=1, sort_keys=True) for side in (theirs, ours)))
    for name in sorted(set(theirs.manifests) | set(ours.manifests)):
        a, b = theirs.manifests.get(name), ours.manifests.get(name)
        if a != b:
            found[name] = _diff(a or '', b or '') if a and b else f'written by {"kubeadm" if a else "genphase"} alone'
    failed = theirs.exit and ours.exit and 'etc/passwd' in theirs.files
    lines = differences(*(_without_owners(side.files) if failed else side.files for side in (theirs, ours)))
    if lines:
        found['files'] = '\n'.join(lines[:20])
    return found


def signatures(found):
    """What differences look like apart from names and numbers, so that a thousand of one kind are told once."""
    made = set()
    for name, text in found.items():
        if name == 'files' and len(found) > 1:
            continue  # which files there are follows from the rest
        kept = [line for line in text.splitlines() if not line.startswith(('--- ', '+++ ', '@@', ' '))]
        made.add(name + '|' + '|'.join(re.sub(r'"[^"]*"|\d+|/[\w./-]+', '_', line)[:60] for line in kept[:3]))
    return frozenset(made)

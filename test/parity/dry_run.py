# SPDX-License-Identifier: Apache-2.0
"""What `init --dry-run` says that it would do, in a form in which kubeadm and genphase can be compared.

kubeadm shows other things around it in each version: files with the name of a random directory, requests that only read, an indentation.
What counts is what would be written to the API server, what the phases that do so say, and the closing text.
"""
import re

ACTION = re.compile(r'^\[(?:dryrun|dry-run)\] Would perform action (CREATE|UPDATE|PATCH|DELETE) on resource "([\w./]+)" in API group "([\w./]*)"$')
ATTACHED = re.compile(r'^\[(?:dryrun|dry-run)\] Attached (?:object|patch):$')
SAID = re.compile(r'^\[(?:upload-config|kubelet|upload-certs|mark-control-plane|bootstrap-token|addons)\] ')
OF_A_PHASE = re.compile(r'(?m)^\[(certs|kubeconfig|kubelet-start|control-plane|etcd|wait-control-plane|upload-config|upload-certs|mark-control-plane|'
                        r'bootstrap-token|kubelet-finalize|addons)\]')
END = 'Your Kubernetes control-plane has initialized successfully!'
# What a run alone chooses, and what stands where kubeadm keeps its files in a dry run. (kubeadm shows the keys it would upload as null.)
CHANGING = [(r'sha256:[0-9a-f]{64}', 'sha256:HASH'), (r'/etc/kubernetes/tmp/kubeadm-init-dryrun\w+', '/etc/kubernetes'),
            (r'certificate-authority-data: \S+', 'certificate-authority-data: BASE64'), (r'(expiration: )\S+', r'\1TIME'),
            (r'(?m)^(\s+[\w.-]+\.(?:crt|key|pub): )\S+$', r'\1BASE64'),
            # The token that owns kubeadm-certs; that of the configuration is abcdef.0123456789abcdef.
            (r'bootstrap-token-(?!abcdef)[a-z0-9]{6}\b', 'bootstrap-token-RANDOM'), (r'token-id: (?!YWJjZGVm\n).+', 'token-id: RANDOM'),
            (r'token-secret: (?!MDEyMzQ1Njc4OWFiY2RlZg==).+', 'token-secret: RANDOM')]


def attached(lines, at):
    """The lines of an attached object from `at` on, and where they end. kubeadm up to 1.30 indents them by a tab."""
    tab, body = '\t' if at < len(lines) and lines[at].startswith('\t') else '', []
    while at < len(lines) and lines[at].startswith(tab) and not lines[at].startswith('[') and (tab or lines[at]):
        body.append(lines[at].removeprefix(tab))
        at += 1
    return [line for line in body if line.strip()], at


# Empty fields that a Go struct is printed with, and the namespace of what has none, which the server drops.
EMPTY = re.compile(r' *(?:- )?(?:creationTimestamp: null|resources: \{\}|readOnly: false)$')


def canonical(body):
    """An object without what only its way through Go types adds."""
    text = re.sub(r'^status:.*\n(?:  .*\n)*', '', '\n'.join(body) + '\n', flags=re.M)
    if re.search(r'^kind: Cluster', text, re.M):
        text = re.sub(r'^  namespace: .*\n', '', text, flags=re.M)
    return [line for line in text.splitlines() if not EMPTY.match(line)]


def words(text):
    """A patch, which is JSON on one side and YAML on the other: its names and texts."""
    return [' '.join(re.findall(r'[A-Za-z][\w./-]*', text))]


def facts(text, patches):
    """Lines: what is said in its order, what would be written (patches of objects too where they count), the closing text."""
    for pattern, replacement in CHANGING:
        text = re.sub(pattern, replacement, text)
    text, _, end = text.partition(END)
    lines, said, actions, at = text.splitlines(), [], [], 0
    while at < len(lines):
        action = ACTION.match(lines[at])
        at += 1
        if not action:
            said += [lines[at - 1]] if SAID.match(lines[at - 1]) else []
            continue
        name = lines[at] if at < len(lines) and 'Resource name' in lines[at] and action[1] != 'CREATE' else ''
        while at < len(lines) and not ATTACHED.match(lines[at]) and 'Resource name' in lines[at]:
            at += 1
        body = []
        if at < len(lines) and ATTACHED.match(lines[at]):
            body, at = attached(lines, at + 1)
        name = re.sub(r'.*Resource name:? (\S+?),?(?: namespace.*)?$', r'\1', name)
        # From 1.31 on kubeadm shows what its own server made of a patch: a Node of which nobody wrote anything.
        if action[1] == 'PATCH' and not patches:
            continue
        shown = words('\n'.join(body)) if action[1] == 'PATCH' else canonical(body)
        actions.append('\n'.join([f'{action[1]} {action[3]} {action[2]} {name}'.strip(), *(f'  {line}' for line in shown)]))
    return '\n'.join([*said, *sorted(actions), END if end else '', *end.splitlines()]) + '\n'


def order(text):
    """The phases in the order in which they first say something, one a line."""
    return ''.join(f'{name}\n' for name in dict.fromkeys(OF_A_PHASE.findall(text)))

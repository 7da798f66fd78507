# SPDX-License-Identifier: Apache-2.0
"""One case: a command line, an environment, configuration documents, patch files and what is on the node before."""
import copy
import json

from .yaml_text import documents

CONFIG = 'kubeadm.yaml'


class Case:
    """args: groups of words, the first the verb, each other one option with its value.
    docs: configuration documents, trees or text. mangle: names of changes to the configuration's text (MANGLES).
    files: other input files, name to list of documents. tree: what the node has, path to text, None for a directory or {link: target}.
    flags: names of the options that the verb has."""

    def __init__(self, args, env=None, docs=None, mangle=None, files=None, tree=None, flags=()):
        self.flags = flags
        self.args, self.env, self.docs = args, env or {}, docs or []
        self.mangle, self.files, self.tree = mangle or [], files or {}, tree or {}

    def copy(self):
        return copy.deepcopy(self)

    def command(self):
        return [word for group in self.args for word in group]

    def inputs(self):
        """Input files as text, by name."""
        found = {name: documents(parts) for name, parts in self.files.items()}
        if self.docs:
            text = documents(self.docs)
            for name in sorted(self.mangle, key=list(MANGLES).index):
                text = MANGLES[name](text)
            found[CONFIG] = text
        return found

    def row(self):
        """The case in the form of a recording, without what came of it."""
        return {'args': self.command(), 'env': self.env, 'inputs': self.inputs(), 'tree': self.tree}

    def size(self):
        return len(json.dumps([self.args, self.env, self.docs, self.mangle, self.files, sorted(self.tree)]))


def _repeat_line(text):
    """The text with its first indented line twice: a repeated key, in most texts."""
    lines = text.split('\n')
    for i, line in enumerate(lines):
        if line.startswith('  ') and ':' in line and not line.endswith(':') and '- ' not in line:
            return '\n'.join(lines[:i + 1] + lines[i:])
    return text


MANGLES = {
    'crlf': lambda text: text.replace('\n', '\r\n'),
    'comment': lambda text: '# a comment\n' + text,
    'start': lambda text: '---\n' + text,
    'end': lambda text: text + '---\n',
    'empty-document': lambda text: text + '---\n---\n# nothing\n',
    'space-after-separator': lambda text: text.replace('---\n', '--- \n'),
    'no-final-newline': lambda text: text.rstrip('\n'),
    'repeated-key': _repeat_line,
    'tab': lambda text: text.replace('\n  ', '\n\t', 1),
    'trailing-space': lambda text: text.replace('\n', ' \n'),
    'document-end': lambda text: text + '...\n',
    'bom': lambda text: '\ufeff' + text,
}


def pinned(case):
    """The case with what it would otherwise take from the host: node name, address and CRI socket."""
    case = case.copy()
    trees = [d for d in case.docs if isinstance(d, dict) and d.get('kind') in ('InitConfiguration', 'ClusterConfiguration')]
    inits = [d for d in trees if d['kind'] == 'InitConfiguration']
    if not case.docs:
        for flag in ('--apiserver-advertise-address=192.0.2.10', '--node-name=node1'):
            if flag.split('=')[0][2:] in case.flags and not any(group[0].startswith(flag.split('=')[0]) for group in case.args):
                case.args.append([flag])
    elif trees and not inits:
        inits = [{'apiVersion': trees[0].get('apiVersion'), 'kind': 'InitConfiguration'}]
        case.docs.append(inits[0])
    for tree in inits:
        for key, name, value in (('nodeRegistration', 'criSocket', 'unix:///run/containerd/containerd.sock'), ('nodeRegistration', 'name', 'node1'),
                                 ('localAPIEndpoint', 'advertiseAddress', '192.0.2.10')):
            if isinstance(tree.setdefault(key, {}), dict):
                tree[key].setdefault(name, value)
    return case

# SPDX-License-Identifier: Apache-2.0
"""The Go types of kubeadm's configuration, read from the source text of k8s.io/kubernetes, which is too large to be compiled for it."""
import glob
import json
import os
import re
import subprocess

KUBEADM = 'cmd/kubeadm/app/apis'
KINDS = ['InitConfiguration', 'ClusterConfiguration', 'JoinConfiguration', 'ResetConfiguration', 'UpgradeConfiguration']
TYPE_META = [{'name': name, 'type': 'string', 'always': False, 'omitZero': False, 'strategy': [], 'key': ''} for name in ('kind', 'apiVersion')]
# Types of other packages, and those that decode and encode themselves.
ELSEWHERE = {'metav1.Duration': 'Duration', 'metav1.Time': 'Time', 'BootstrapTokenString': 'string', 'int': 'int64'}
CORE = {'Taint': 'Taint', 'EnvVar': 'EnvVar', 'PullPolicy': 'string', 'HostPathType': 'string'}
PLAIN = ['string', 'bool', 'int32', 'int64']


class Package:
    """The types of one API version; suffix is what stands behind their names."""

    def __init__(self, path, suffix):
        with open(path) as f:
            text = re.sub(r'^\s*//.*\n', '', f.read(), flags=re.MULTILINE)
        self.suffix = suffix
        structs = re.findall(r'^type (\w+) struct \{\n(.*?)^\}', text, re.MULTILINE | re.DOTALL)
        self.structs = {name: body.strip().splitlines() for name, body in structs}
        self.named = dict(re.findall(r'^type (\w+) (\w+)$', text, re.MULTILINE))

    def kind(self, go):
        """(name as the table has it, whether it is a struct) of what a Go expression names without *, [] and map[string]."""
        if go in ELSEWHERE:
            return ELSEWHERE[go], go.startswith('metav1.')
        if go in PLAIN:
            return go, False
        if go in self.named:
            return self.kind(self.named[go])
        package, _, name = go.rpartition('.')
        if package in ('v1', 'corev1'):
            return CORE[name], CORE[name] != 'string'
        if package == 'bootstraptokenv1':
            return f'{name}.bootstraptoken', True
        body = [line.split() for line in self.structs[name]]
        # A struct for the sake of conversion, with nothing but another in it.
        if len(body) == 1 and body[0][0].startswith('corev1.'):
            return self.kind(body[0][0])
        return f'{name}.{self.suffix}', True

    def field(self, go, name, options):
        shape, item = re.fullmatch(r'(\*|\[\]|map\[string\])?([\w.]+)', go).groups()
        kind, struct = self.kind(item)
        # To the tables a text, since validation lets none be nil.
        shape = '' if item == 'BootstrapTokenString' else shape or ''
        always = 'omitempty' not in options or (struct and not shape)
        return {'name': name, 'type': shape + kind, 'always': always and 'omitzero' not in options, 'omitZero': 'omitzero' in options,
                'strategy': [], 'key': ''}

    def fields(self, struct):
        found = []
        for line in filter(None, map(str.strip, self.structs[struct])):
            # A member without a tag has its own name (UpgradeApplyConfiguration.SkipPhases of 1.30).
            left, tag = re.fullmatch(r'([^`]+)(?:`json:"([^"]*)"[^`]*`)?', line).groups()
            *member, go = left.split()
            name, *options = (tag or '').split(',')
            if name == '-':
                continue
            if member:
                found.append(self.field(go, name or member[0], options))
            else:
                found += TYPE_META if go == 'metav1.TypeMeta' else self.fields(go)
        return found

    def describe(self, struct, types):
        """The struct and those of this package below it."""
        name = f'{struct}.{self.suffix}'
        if name not in types:
            types[name] = self.fields(struct)
            for field in types[name]:
                below, _, suffix = field['type'].rpartition(']')[2].lstrip('*').partition('.')
                if suffix == self.suffix:
                    self.describe(below, types)


def config_types_of(version):
    """{"TYPE.API": [field...]}, the fields as main.go prints them; a type of bootstraptoken/v1 is "TYPE.bootstraptoken"."""
    answer = subprocess.run(['go', 'mod', 'download', '-json', f'k8s.io/kubernetes@v{version}'], check=True, capture_output=True, cwd='/').stdout
    source, types = f'{json.loads(answer)["Dir"]}/{KUBEADM}', {}
    for path in sorted(glob.glob(f'{source}/kubeadm/v*/types.go')):
        package = Package(path, os.path.basename(os.path.dirname(path)))
        for kind in filter(package.structs.__contains__, KINDS):
            package.describe(kind, types)
    tokens = f'{source}/bootstraptoken/v1/types.go'
    if os.path.exists(tokens):
        Package(tokens, 'bootstraptoken').describe('BootstrapToken', types)
    return types

# SPDX-License-Identifier: Apache-2.0
"""Read the objects that client-go from 1.32 on sends as protobuf: as the JSON that they would be.

Only the kinds that kubeadm's phases write and that the recordings have; the numbers are those of the files generated.proto.
"""
import base64

MAGIC = b'k8s\0'
TEXT, FLAG, BYTES = 'text', 'flag', 'bytes'


class Many:
    """A repeated field."""

    def __init__(self, of):
        self.of = of


class Map:
    """A map from texts."""

    def __init__(self, of):
        self.of = of


OWNER = {1: ('kind', TEXT), 3: ('name', TEXT), 4: ('uid', TEXT), 5: ('apiVersion', TEXT), 6: ('controller', FLAG), 7: ('blockOwnerDeletion', FLAG)}
META = {1: ('name', TEXT), 3: ('namespace', TEXT), 5: ('uid', TEXT), 6: ('resourceVersion', TEXT), 8: ('creationTimestamp', None), 11: ('labels', Map(TEXT)),
        12: ('annotations', Map(TEXT)), 13: ('ownerReferences', Many(OWNER)), 17: ('managedFields', None)}
RULE = {number: (name, Many(TEXT)) for number, name in enumerate(('verbs', 'apiGroups', 'resources', 'resourceNames', 'nonResourceURLs'), 1)}
SUBJECT = {1: ('kind', TEXT), 2: ('apiGroup', TEXT), 3: ('name', TEXT), 4: ('namespace', TEXT)}
ROLE = {1: ('metadata', META), 2: ('rules', Many(RULE))}
BINDING = {1: ('metadata', META), 2: ('subjects', Many(SUBJECT)), 3: ('roleRef', {1: ('apiGroup', TEXT), 2: ('kind', TEXT), 3: ('name', TEXT)})}
# Of what runs and of Services only who they are: what is in them is compared where it is printed.
NAMED = {1: ('metadata', META), 2: ('spec', None), 3: ('status', None)}
NAMED_KINDS = ('Service', 'Deployment', 'DaemonSet')
KINDS = {
    **dict.fromkeys(NAMED_KINDS, NAMED),
    'ConfigMap': {1: ('metadata', META), 2: ('data', Map(TEXT)), 3: ('binaryData', Map(BYTES))},
    'Secret': {1: ('metadata', META), 2: ('data', Map(BYTES)), 3: ('type', TEXT), 4: ('stringData', Map(TEXT))},
    'ServiceAccount': {1: ('metadata', META)},
    'Role': ROLE, 'ClusterRole': ROLE, 'RoleBinding': BINDING, 'ClusterRoleBinding': BINDING,
}


def _varint(data, at):
    value, shift = 0, 0
    while True:
        value |= (data[at] & 0x7f) << shift
        at, shift = at + 1, shift + 7
        if not data[at - 1] & 0x80:
            return value, at


def _fields(data):
    """Numbers and values of the fields of a message: varints and byte strings, which is all that these kinds have."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        value, at = _varint(data, at)
        if key & 7 == 2:
            value, at = data[at:at + value], at + value
        elif key & 7 != 0:
            raise ValueError(f'wire type {key & 7}')
        yield key >> 3, value


def _value(of, raw):
    if of == TEXT:
        return raw.decode()
    if of == FLAG:
        return bool(raw)
    if of == BYTES:
        return base64.b64encode(raw).decode()
    return _message(of, raw)


def _message(fields, data):
    made = {}
    for number, raw in _fields(data):
        if raw in (0, b'') and not isinstance(fields.get(number, ('', None))[1], (Many, Map)):
            continue  # Go writes empty fields too
        name, of = fields[number]
        if isinstance(of, Many):
            made.setdefault(name, []).append(_value(of.of, raw))
        elif isinstance(of, Map):
            entry = dict(_fields(raw))
            made.setdefault(name, {})[entry.get(1, b'').decode()] = _value(of.of, entry.get(2, b''))
        elif of is not None:
            made[name] = _value(of, raw)
    return made


def decode(body):
    """A body of type application/vnd.kubernetes.protobuf as an object."""
    if not body.startswith(MAGIC):
        raise ValueError('no object of Kubernetes')
    unknown = dict(_fields(body[len(MAGIC):]))
    kind = {number: text.decode() for number, text in _fields(unknown[1])}
    return {'apiVersion': kind[1], 'kind': kind[2], **_message(KINDS[kind[2]], unknown[2])}

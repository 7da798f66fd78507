# SPDX-License-Identifier: Apache-2.0
"""Plain trees as YAML text: block style, every string quoted that could be read as anything else."""
import json
import re

PLAIN = re.compile(r'^[A-Za-z/][A-Za-z0-9_./-]*$')
WORDS = {'true', 'false', 'yes', 'no', 'on', 'off', 'y', 'n', 'null'}


class Raw(str):
    """A scalar that goes into the text as it is, such as 010 or ~."""


def scalar(value):
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, str):
        if PLAIN.match(value) and value.lower() not in WORDS:
            return value
        return json.dumps(value, ensure_ascii=False)
    return json.dumps(value)


def _lines(value, indent):
    pad = ' ' * indent
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, (dict, list)) and item:
                yield f'{pad}{scalar(key)}:'
                yield from _lines(item, indent if isinstance(item, list) else indent + 2)
            else:
                yield f'{pad}{scalar(key)}: {_empty(item)}'
    else:
        for item in value:
            if isinstance(item, (dict, list)) and item:
                first, *rest = _lines(item, indent + 2)
                yield f'{pad}- {first[indent + 2:]}'
                yield from rest
            else:
                yield f'{pad}- {_empty(item)}'


def _empty(item):
    if isinstance(item, dict):
        return '{}'
    return '[]' if isinstance(item, list) else scalar(item)


def document(tree):
    """One YAML document; a string is text already."""
    if isinstance(tree, str):
        return tree if tree.endswith('\n') or not tree else tree + '\n'
    return '\n'.join(_lines(tree, 0)) + '\n' if tree else _empty(tree) + '\n'


def documents(trees):
    return '---\n'.join(document(t) for t in trees)

# SPDX-License-Identifier: Apache-2.0
"""Make a case smaller as long as it still shows a difference of the same kind."""
import copy


def _places(value, path=()):
    """Paths of everything below a tree that can be taken away, larger parts first."""
    if isinstance(value, dict):
        for key in value:
            yield path + (key,)
        for key, item in value.items():
            yield from _places(item, path + (key,))
    elif isinstance(value, list):
        for i in reversed(range(len(value))):
            yield path + (i,)
        for i, item in enumerate(value):
            yield from _places(item, path + (i,))


def _without(tree, path):
    """A copy of the tree without what is at the path."""
    made = copy.deepcopy(tree)
    place = made
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    return made


def _simpler_text(value):
    """A shorter string in place of a long one."""
    if isinstance(value, str) and len(value) > 8 and type(value) is str:
        yield value[:len(value) // 2]
        yield value[len(value) // 2:]


def _strings(value, path=()):
    if isinstance(value, (dict, list)):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _strings(item, path + (key,))
    elif isinstance(value, str):
        yield path, value


def _replaced(tree, path, new):
    if not path:
        return new
    made = copy.deepcopy(tree)
    place = made
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = new
    return made


def _candidates(case):
    """Cases with one thing less."""
    def changed(**fields):
        made = case.copy()
        for name, value in fields.items():
            setattr(made, name, value)
        return made
    for i in reversed(range(len(case.docs))):
        yield changed(docs=case.docs[:i] + case.docs[i + 1:])
    for i in reversed(range(1, len(case.args))):
        yield changed(args=case.args[:i] + case.args[i + 1:])
    if case.args[0] == ['control-plane', 'all']:
        for name in ('apiserver', 'controller-manager', 'scheduler'):
            yield changed(args=[['control-plane', name], *case.args[1:]])
    if case.env:
        yield changed(env={})
        for name in case.env:
            yield changed(env={k: v for k, v in case.env.items() if k != name})
    for i in range(len(case.mangle)):
        yield changed(mangle=case.mangle[:i] + case.mangle[i + 1:])
    if case.tree:
        yield changed(tree={})
        for start in sorted({path.split('/')[0] + '/' + path.split('/')[1] for path in case.tree if '/' in path}):
            yield changed(tree={k: v for k, v in case.tree.items() if not k.startswith(start)})
        for path in case.tree:
            yield changed(tree={k: v for k, v in case.tree.items() if k != path})
    for name, parts in case.files.items():
        yield changed(files={k: v for k, v in case.files.items() if k != name})
        for path in _places(parts):
            yield changed(files={**case.files, name: _without(parts, path)})
    for path in _places(case.docs):
        if len(path) > 1:
            yield changed(docs=_without(case.docs, path))
    for path, text in _strings(case.docs):
        if path[-1] not in ('apiVersion', 'kind'):
            for shorter in _simpler_text(text):
                yield changed(docs=_replaced(case.docs, path, shorter))


def shrink(case, differs, kinds, limit=400):
    """The smallest case found for which the set differs(case) still has one of kinds; at most `limit` runs of it."""
    runs, again = 0, True
    while again and runs < limit:
        again = False
        for smaller in _candidates(case):
            runs += 1
            if runs >= limit:
                break
            if smaller.size() < case.size() and kinds & differs(smaller):
                case, again = smaller, True
                break
    return case

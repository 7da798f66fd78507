#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What bash, zsh and fish offer with the completion scripts of both programs, and the manual pages as groff reads them.

    test_shells.py GENPHASE PODWATCH

Each line is completed by the shell itself: zsh in a terminal, with what is handed to compadd; fish with `complete -C`; bash by the function
with the words as readline cuts them.
"""
import os
import pty
import re
import select
import shlex
import subprocess
import sys
import tempfile
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../parity'))
from tap import Tap, arguments  # noqa: E402

PROGRAMS = dict(zip(('genphase', 'podwatch'), map(os.path.abspath, arguments(__doc__, 'GENPHASE', 'PODWATCH'))))
SYNTAX = {'bash': ['bash', '-n'], 'zsh': ['zsh', '-d', '-n'], 'fish': ['fish', '--no-execute']}
ZSH_SECONDS = 20
# In its place on PATH: what a running podwatch would say. The line so far comes behind --.
STAND_IN = '''\
#!/bin/sh
case "$*" in
"completion pods") printf 'etcd\\nweb\\n' ;;
"completion containers -- podwatch logs etcd"*) printf 'app\\nproxy\\n' ;;
esac
'''
# A directory and two files to choose from: files/manifests/, files/manifest.yaml, files/notes
CASES = [
    ('genphase etcd local -o ', {'yaml', 'json'}), ('genphase etcd local --output ', {'yaml', 'json'}),
    ('genphase etcd local --output=', {'yaml', 'json'}), ('genphase etcd local --output=j', {'json'}),
    ('genphase completion ', {'bash', 'zsh', 'fish', 'man'}), ('genphase diff api', {'apiserver'}), ('genphase diff etcd s', {'scheduler'}),
    ('genphase --rootfs manif', {'manifests'}), ('genphase certs all --rootfs=manif', {'manifests'}),
    ('genphase etcd local --config manif', {'manifests', 'manifest.yaml'}), ('genphase etcd local --config=manif', {'manifests', 'manifest.yaml'}),
    ('genphase certificates ren', {'renew'}), ('genphase etcd local --no-such=manif', set()),
    ('genphase --rootfs x certs ren', {'renew'}),
    ('podwatch validate manif', {'manifests', 'manifest.yaml'}), ('podwatch status ', {'etcd', 'web'}), ('podwatch describe w', {'web'}),
    ('podwatch logs etcd -c ', {'app', 'proxy'}), ('podwatch logs etcd --container=a', {'app'}), ('podwatch logs web -c ', set()),
]


def environment(directory):
    return {'PATH': f'{directory}/bin:/usr/local/bin:/usr/bin:/bin', 'HOME': directory, 'ZDOTDIR': directory, 'XDG_CONFIG_HOME': directory,
            'XDG_DATA_HOME': directory, 'XDG_CACHE_HOME': directory, 'TERM': 'dumb', 'LC_ALL': 'C.UTF-8'}


def bash(directory, lines):
    text = ''.join(f'. {directory}/{name}.bash\n' for name in PROGRAMS) + 'compopt() { :; }\n'
    for line in lines:
        # "=" breaks words, and is one.
        words = re.sub(r'=', ' = ', line).rstrip(' ').split() + ([''] if line[-1] in ' =' else [])
        text += (f'COMP_WORDS=({" ".join(map(shlex.quote, words))}); COMP_CWORD={len(words) - 1}; COMPREPLY=(); _{words[0]}\n'
                 'printf "%s\\n" "${COMPREPLY[@]}" END\n')
    return subprocess.run(['bash', '-c', text], cwd=f'{directory}/files', env=environment(directory), stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, check=True, timeout=60).stdout


def fish(directory, lines):
    text = ''.join(f'source {directory}/{name}.fish\n' for name in PROGRAMS) + ''.join(f"complete -C '{line}'; echo END\n" for line in lines)
    out = subprocess.run(['fish', '-c', text], cwd=f'{directory}/files', env=environment(directory), stdin=subprocess.DEVNULL, capture_output=True,
                         text=True, check=True, timeout=60)
    assert not out.stderr, out.stderr
    # An option's value is offered as a whole word, with the option.
    return re.sub(r'^--[a-z-]+=', '', re.sub(r'\t.*', '', out.stdout), flags=re.M)


# genphase's script lies where zsh looks for functions, podwatch's is sourced: both are ways to have it.
ZSHRC = '''\
PROMPT=''
fpath=({0}/functions $fpath)
autoload -Uz compinit && compinit -u -D
source {0}/podwatch.zsh
compadd() {{
    if [[ " ${{(@)@[1,(i)--]}} " == *" -"[OAD]" "* ]]; then
        builtin compadd "$@"
        return
    fi
    local -a matching
    builtin compadd -A matching "$@"
    offered+=("${{matching[@]}}")
    builtin compadd "$@"
}}
tell() {{
    typeset -ga offered=()
    _main_complete
    compstate[insert]='' compstate[list]=''
    print -rl -- "${{offered[@]}}" END >{0}/offered
}}
zle -C tell complete-word tell
bindkey '^I' tell
print READY >{0}/offered
'''


def answer(fifo, last, shown):
    """What zsh writes, up to a line."""
    got = ''
    while not got.endswith(f'{last}\n'):
        if not select.select([fifo], [], [], ZSH_SECONDS)[0]:
            raise TimeoutError(f'zsh does not answer; its terminal shows {b"".join(shown)[-2000:]}, it wrote {got}')
        got += os.read(fifo, 65536).decode()
    return got


def in_zsh(terminal, directory, lines):
    shown, fifo = [], os.open(f'{directory}/offered', os.O_RDWR)

    def read():
        try:
            while data := os.read(terminal, 4096):
                shown.append(data)
        except OSError:
            pass  # it is gone
    threading.Thread(target=read, daemon=True).start()
    try:
        answer(fifo, 'READY', shown)
        out = []
        for line in lines:
            os.write(terminal, b'\x15' + line.encode() + b'\t')
            out.append(answer(fifo, 'END', shown))
        return ''.join(out)
    finally:
        os.close(fifo)


def zsh(directory, lines):
    os.mkdir(f'{directory}/functions')
    os.symlink(f'{directory}/genphase.zsh', f'{directory}/functions/_genphase')
    os.mkfifo(f'{directory}/offered')
    with open(f'{directory}/.zshrc', 'w') as f:
        f.write(ZSHRC.format(directory))
    ours, theirs = pty.openpty()
    with subprocess.Popen(['zsh', '-d', '-i'], cwd=f'{directory}/files', env=environment(directory), stdin=theirs, stdout=theirs, stderr=theirs,
                          start_new_session=True) as process:
        os.close(theirs)
        try:
            return in_zsh(ours, directory, lines)
        finally:
            process.kill()


def verbs(name, path=()):
    """Every verb that help lists, with the verbs below it and its options."""
    text = subprocess.run([PROGRAMS[name], *path, '--help'], capture_output=True, text=True, check=True).stdout
    found = re.search(r'^Commands:\n((?:  .*\n)+)', text, re.M)
    below = re.findall(r'^  (\S+)', found[1], re.M) if found else []
    yield path, set(below), set(re.findall(r'^ {2,6}(?:-\w, )?(--[a-z-]+)', text, re.M)) | {'--help'}
    for word in below:
        yield from verbs(name, (*path, word))


def cases():
    """Lines, and the words that shall be offered; those of the help, then CASES."""
    wanted = []
    for name in PROGRAMS:
        for path, below, options in verbs(name):
            line = ' '.join([name, *path, ''])
            wanted += [(line, below)] if below else []
            wanted.append((f'{line}--', options))
    return wanted + CASES


def offers(shell, directory, wanted):
    parts = shell(directory, [line for line, _ in wanted]).split('END\n')
    problems = []
    for (line, expected), text in zip(wanted, parts):
        words = {os.path.basename(word.rstrip('/')) for word in text.splitlines() if word}
        # Where a word may come, options may too.
        words = words if line.endswith('--') else {word for word in words if not word.startswith('-')}
        if words != expected:
            problems.append(f'"{line}": offered are {sorted(words)}, not {sorted(expected)}')
    return problems + ([] if len(parts) == len(wanted) + 1 else [f'{len(parts) - 1} answers, not {len(wanted)}'])


def prepare(directory):
    os.makedirs(f'{directory}/files/manifests')
    os.mkdir(f'{directory}/bin')
    for name in ('manifest.yaml', 'notes'):
        with open(f'{directory}/files/{name}', 'w'):
            pass
    with open(f'{directory}/bin/podwatch', 'w') as f:
        f.write(STAND_IN)
    os.chmod(f'{directory}/bin/podwatch', 0o755)
    for name, program in PROGRAMS.items():
        for kind in (*SYNTAX, 'man'):
            with open(f'{directory}/{name}.{kind}', 'w') as f:
                subprocess.run([program, 'completion', kind], stdout=f, check=True)


def complaints(command):
    out = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return [f'{command}: exit {out.returncode}: {out.stdout}{out.stderr}'] if out.returncode or out.stdout or out.stderr else []


def main():
    tap = Tap(len(SYNTAX) + 2)
    with tempfile.TemporaryDirectory() as directory:
        prepare(directory)
        tap.point('syntax', [line for name in PROGRAMS for kind, command in SYNTAX.items()
                             for line in complaints([*command, f'{directory}/{name}.{kind}'])])
        # -k: the page is UTF-8; -ww: every warning there is; -z: nothing is printed.
        tap.point('manual pages', [line for name in PROGRAMS for device in ('utf8', 'ascii')
                                   for line in complaints(['groff', '-k', '-man', '-ww', '-z', f'-T{device}', f'{directory}/{name}.man'])])
        wanted = cases()
        for shell in (bash, zsh, fish):
            tap.point(shell.__name__, offers(shell, directory, wanted))
    tap.exit()


if __name__ == '__main__':
    main()

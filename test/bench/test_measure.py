# SPDX-License-Identifier: Apache-2.0
"""measure.c: times and memory are the command's own, and how it ended is not lost."""
import json
import subprocess
import sys


def measure(*command):
    return subprocess.run([sys.argv[1], *command], capture_output=True, text=True)


def memory_is_the_commands():
    """This program is made large; a small command stays small, a large one is seen."""
    ballast = bytearray(100 * 1024 * 1024)
    ballast[::4096] = b'x' * len(ballast[::4096])
    small = json.loads(measure('true').stdout)['maxrss_kib']
    large = json.loads(measure(sys.executable, '-c', 'x = b"x" * (60 << 20)').stdout)['maxrss_kib']
    return small < 10 * 1024 and large > 60 * 1024


def time_is_the_commands():
    return 0.2 <= json.loads(measure('sleep', '0.2').stdout)['seconds'] < 2


def status_is_kept():
    ends = [measure('sh', '-c', script).returncode for script in ('exit 7', 'kill -9 $$')]
    missing = measure('/nowhere')
    return ends == [7, 128 + 9] and missing.returncode == 127 and '/nowhere' in missing.stderr and not missing.stdout


def output_is_dropped():
    result = measure('sh', '-c', 'echo out; echo err >&2')
    return 'out' not in result.stdout and result.stderr == 'err\n'


CHECKS = [memory_is_the_commands, time_is_the_commands, status_is_kept, output_is_dropped]
print(f'1..{len(CHECKS)}')
for number, check in enumerate(CHECKS, 1):
    print(f'{"ok" if check() else "not ok"} {number} - {check.__name__}')

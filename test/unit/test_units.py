#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The systemd unit: verified by systemd itself, and free of what would hide mounts from dockerd.

    test_units.py UNIT
"""
import argparse
import re
import shutil
import subprocess
import sys
import tempfile

PARSER = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
PARSER.add_argument('unit', help='the file of the unit')
UNIT = PARSER.parse_args().unit
# Each of these gives the service a mount namespace of its own (systemd.exec(5)).
PRIVATE_MOUNTS = ('PrivateTmp', 'PrivateDevices', 'PrivateMounts', 'ProtectSystem', 'ProtectHome', 'ProtectKernelTunables', 'ProtectKernelModules',
                  'ProtectKernelLogs', 'ProtectControlGroups', 'ProtectProc', 'ProtectClock', 'ReadOnlyPaths', 'ReadWritePaths', 'InaccessiblePaths',
                  'TemporaryFileSystem', 'BindPaths', 'BindReadOnlyPaths', 'RootDirectory', 'RootImage', 'DynamicUser', 'ProcSubset', 'PrivateIPC')


def text():
    with open(UNIT) as f:
        return f.read()


def verify():
    with tempfile.TemporaryDirectory() as d:
        # The program need not be installed for its unit to be right.
        unit = f'{d}/podwatch.service'
        with open(unit, 'w') as f:
            f.write(re.sub(r'^ExecStart=\S+', 'ExecStart=/bin/true', text(), flags=re.M))
        p = subprocess.run(['systemd-analyze', 'verify', '--man=no', unit], capture_output=True, text=True)
    ours = [line for line in (p.stdout + p.stderr).splitlines() if 'podwatch.service' in line]
    return p.returncode == 0 and not ours, p.stdout + p.stderr


def no_private_mounts():
    found = [k for k in PRIVATE_MOUNTS if re.search(rf'^{k}=(?!no\b|false\b|$)', text(), re.M)]
    return not found, f'would hide mounts from dockerd: {found}'


def what_matters():
    wanted = ['Type=notify', 'KillMode=process', 'WatchdogSec=', 'After=docker.service', 'Wants=docker.service']
    missing = [w for w in wanted if not any(w.split('=')[0] + '=' in line and w.split('=')[1] in line for line in text().splitlines())]
    return not missing, f'missing: {missing}'


def exposure():
    with tempfile.TemporaryDirectory() as d:
        shutil.copy(UNIT, f'{d}/podwatch.service')
        p = subprocess.run(['systemd-analyze', 'security', '--offline=true', '--threshold=80', f'{d}/podwatch.service'], capture_output=True, text=True)
    last = p.stdout.strip().splitlines()[-1:]
    return p.returncode == 0, f'{last} {p.stderr}'


tests = [verify, no_private_mounts, what_matters, exposure]
print(f'1..{len(tests)}')
failed = 0
for number, test in enumerate(tests, 1):
    ok, said = test()
    failed += not ok
    if not ok:
        print('\n'.join(f'# {line}' for line in str(said).splitlines()))
    print(f'{"ok" if ok else "not ok"} {number} - {test.__name__}')
sys.exit(1 if failed else 0)

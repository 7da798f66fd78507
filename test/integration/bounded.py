# SPDX-License-Identifier: Apache-2.0
"""Privileged containers on a machine that lacks capabilities.

Docker 20.10 asks runc for every capability there is when a container is privileged, and runc fails where one of them is not in the
bounding set (`unable to apply caps: operation not permitted`), as on test machines that are themselves confined. A `runc` ahead of
the real one in dockerd's PATH leaves out what the machine does not have, so that a privileged pod can be tested there as well.
Where nothing is lacking there is no such program.
"""
import os
import shutil

# Capability numbers of linux/capability.h.
NAMES = ('CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE '
         'NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN '
         'SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE '
         'MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE').split()

SCRIPT = '''#!/bin/sh
# Leaves {lacking} out of what runc is asked for: this machine lacks it.
file= next=
for argument; do
	case $next in
	bundle) file=$argument/config.json ;;
	process) file=$argument ;;
	esac
	next=
	case $argument in
	--bundle | -b) next=bundle ;;
	--process | -p) next=process ;;
	esac
done
[ -z "$file" ] || sed -i {expressions} "$file"
exec {runc} "$@"
'''


def lacking():
    """The capabilities that are not in the bounding set of this process."""
    with open('/proc/self/status') as f:
        bounding = int(next(line for line in f if line.startswith('CapBnd:')).split()[1], 16)
    return [f'CAP_{name}' for number, name in enumerate(NAMES) if not bounding >> number & 1]


def install(directory, path):
    """Put the program into `directory` where it is needed; gives the search path that dockerd needs."""
    names = lacking()
    runc = shutil.which('runc', path=path)
    if not names or runc is None:
        return path
    expressions = ' '.join(f"-e 's/,\"{n}\"//g;s/\"{n}\",//g;s/\"{n}\"//g'" for n in names)
    os.makedirs(directory)
    with open(f'{directory}/runc', 'w') as f:
        os.fchmod(f.fileno(), 0o755)
        f.write(SCRIPT.format(lacking=' '.join(names), expressions=expressions, runc=runc))
    return f'{directory}:{path}'

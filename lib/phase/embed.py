#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""embed: write files as C arrays.

    embed OUT.c FILE...

The result defines embedded_files[] of phase/embedded.h, in the order of the arguments.
"""
import os
import sys


def main():
    out, paths = sys.argv[1], sys.argv[2:]
    lines = ['/* SPDX-License-Identifier: Apache-2.0 - made by embed.py, do not edit */', '#include "phase/embedded.h"', '']
    for i, path in enumerate(paths):
        with open(path, 'rb') as f:
            data = f.read()
        lines.append(f'static const char file_{i}[] = {{')
        for at in range(0, len(data), 20):
            lines.append('        ' + ' '.join(f'{b},' for b in data[at:at + 20]))
        lines += ['        0,', '};', '']
    lines.append('const struct embedded_file embedded_files[] = {')
    for i, path in enumerate(paths):
        lines.append(f'        {{"{os.path.basename(path)}", file_{i}, sizeof(file_{i}) - 1}},')
    lines += ['};', 'const size_t embedded_file_count = sizeof(embedded_files) / sizeof(embedded_files[0]);', '']
    with open(out, 'w', encoding='ascii') as f:
        f.write('\n'.join(lines))


main()

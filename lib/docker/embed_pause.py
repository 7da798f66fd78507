#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""embed_pause OUT.c PROGRAM: write the program as the C array of docker/pause_image.h."""
import sys


def main():
    out, path = sys.argv[1:3]
    with open(path, 'rb') as f:
        data = f.read()
    lines = ['/* SPDX-License-Identifier: Apache-2.0 - made by embed_pause.py, do not edit */', '#include "docker/pause_image.h"', '',
             'const unsigned char pause_binary[] = {']
    for at in range(0, len(data), 20):
        lines.append('        ' + ' '.join(f'{b},' for b in data[at:at + 20]))
    lines += ['};', 'const size_t pause_binary_size = sizeof(pause_binary);', '']
    with open(out, 'w', encoding='ascii') as f:
        f.write('\n'.join(lines))


main()

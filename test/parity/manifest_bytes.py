#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every manifest that a recorded kubeadm wrote comes out of lib/codec as it went in.

    manifest_bytes.py CODEC_FILTER

One point a recording (recordings.py says where they are). codec_filter makes JSON of a manifest, and YAML of that JSON again.
"""
import json
import os
import subprocess

import recordings
from tap import Tap, arguments


class Filter:
    def __init__(self, program, mode):
        self.process = subprocess.Popen([program, mode], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, text):
        self.process.stdin.write(b'%d\n%s' % (len(text), text))
        self.process.stdin.flush()
        verdict, size = self.process.stdout.readline().split()
        answer = self.process.stdout.read(int(size))
        if verdict != b'ok':
            raise ValueError(answer.decode())
        return answer


def manifests(recording):
    with open(recording) as f:
        for line in f:
            run = json.loads(line)
            for name, text in (run.get('manifests') or {}).items():
                if text:
                    yield f"{os.path.basename(recording)} case {run.get('case')} {name}", text.encode()


def main():
    codec_filter, = arguments(__doc__, 'CODEC_FILTER')
    reader, writer = Filter(codec_filter, 'read'), Filter(codec_filter, 'write')
    found = recordings.found('[0-9]*.jsonl')
    tap = Tap(max(1, len(found)))
    if not found:
        tap.point('recordings', [], skip=f'no recordings in {recordings.directory()}')
    for recording in found:
        problems, count = [], 0
        for name, text in manifests(recording):
            count += 1
            try:
                if writer.ask(reader.ask(text)) != text:
                    problems.append(f'{name}: other bytes')
            except ValueError as e:
                problems.append(f'{name}: {e}')
        if count == 0:
            problems.append('no manifest in it')
        tap.point(os.path.basename(recording), problems)
    tap.exit()


if __name__ == '__main__':
    main()

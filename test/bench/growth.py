# SPDX-License-Identifier: Apache-2.0
"""What an idle podwatch costs, and how that grows with pods: memory, processor time, and how often it wakes."""
import os
import time

# Pods at which is measured, and for how many seconds each: in the suite, and by hand (--long).
SHORT, LONG = ([0, 10, 50], 12), ([0, 10, 50, 110, 250], 60)
# How many are adopted from a podwatch that was killed.
ADOPTED = (50, 110, 250)
# Targets by pods: anonymous and resident MiB; CPU in ms of 30 s.
TARGETS = {0: (3, 12, None), 110: (6, 16, 15)}


def memory_of(pid):
    """Anonymous and resident MiB."""
    with open(f'/proc/{pid}/smaps_rollup') as f:
        rows = {line.split(':')[0]: line.split()[1] for line in f if line.endswith('kB\n')}
    return int(rows['Anonymous']) / 1024, int(rows['Rss']) / 1024


def cpu_of(pid):
    """Seconds of processor time, all threads together, and how often a thread of the process was woken."""
    seconds, woken = 0.0, 0
    for task in os.listdir(f'/proc/{pid}/task'):
        with open(f'/proc/{pid}/task/{task}/schedstat') as f:
            seconds += int(f.read().split()[0]) / 1e9
        with open(f'/proc/{pid}/task/{task}/status') as f:
            woken += next(int(line.split()[1]) for line in f if line.startswith('voluntary_ctxt_switches'))
    return seconds, woken


def quiet(pid, limit=60):
    """Wait until the process has used next to nothing for 3 s: what it had to do is done."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        before = cpu_of(pid)[0]
        time.sleep(3)
        if cpu_of(pid)[0] - before < 0.003:
            return


def idle(pid, seconds):
    """Milliseconds of processor time in 30 s, and wake-ups in a minute, of a process that is left alone."""
    cpu, woken = cpu_of(pid)
    time.sleep(seconds)
    cpu_after, woken_after = cpu_of(pid)
    return 1000 * (cpu_after - cpu) * 30 / seconds, (woken_after - woken) * 60 / seconds


def rows(table, who, pid, count, seconds, targets, patience=60):
    """patience: how long to wait for the process to have done what it had to do."""
    anonymous, resident, cpu = targets.get(count, (None, None, None))
    quiet(pid, patience)
    now = memory_of(pid)
    name = f'{who}{count} pods'
    table.add(f'{name}: anonymous memory', now[0], None, 'MiB', anonymous, f'<= {anonymous} MiB' if anonymous else '')
    table.add(f'{name}: resident memory', now[1], None, 'MiB', resident, f'<= {resident} MiB' if resident else '')
    milliseconds, woken = idle(pid, seconds)
    table.add(f'{name}: idle CPU in 30 s', milliseconds, None, 'ms', cpu, f'<= {cpu} ms' if cpu else '')
    table.add(f'{name}: wake-ups in a minute', woken, None, '', None, '')


def bench_growth(table, node, events, long):
    counts, seconds = LONG if long else SHORT
    names = []
    for count in counts:
        more = [f'cost{i}' for i in range(len(names), count)]
        if more:
            node.drop(more, 'host')
            node.last_start(more, events, 60 + count * 2)
        names += more
        rows(table, 'idle, ', node.podwatch.pid, count, seconds, TARGETS)
        if count in ADOPTED:
            adopt(table, node, names)
    node.clear(names, 60 + len(names) * 2)


def adopt(table, node, names):
    """From the start of podwatch to all pods Ready as before, none of them touched."""
    def running():
        return {c['Id'] for c in node.host.docker.containers(all=False)}
    before = running()
    node.podwatch.kill9()
    begin = time.time()
    node.podwatch.start()
    node.podwatch.wait_ready(*[f'default/{n}-node1' for n in names])
    seconds = time.time() - begin
    assert running() == before, 'adoption touched a pod'
    table.add(f'adopt {len(names)} running pods', seconds, None, 's', 0.2, '<= 0.2 s (at 110)')

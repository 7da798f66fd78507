# SPDX-License-Identifier: Apache-2.0
"""Everything that an integration test imports: the test host, the Docker client, the programs under test, waiting and skipping."""
from cgroups import cgroups_named
from cluster import Cluster, Podwatch, kubernetes_version, peers, pod, program, sanitized, slower
from docker_api import Docker, DockerError, EventRecorder, unix_request
from host import NODE_ADDRESS, PREFIX, Host, boot_id, cleanup_stale, netns_list, start_time, states, tail
from waiting import Skip, Timeout, hold, wait_for

__all__ = ['Cluster', 'Docker', 'DockerError', 'EventRecorder', 'Host', 'NODE_ADDRESS', 'PREFIX', 'Podwatch', 'Skip', 'Timeout',
           'boot_id', 'cgroups_named', 'cleanup_stale', 'hold', 'kubernetes_version', 'netns_list', 'peers', 'pod', 'program', 'sanitized',
           'slower', 'start_time', 'states', 'tail', 'unix_request', 'wait_for']

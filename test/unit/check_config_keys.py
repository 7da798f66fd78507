#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Check that each key of the configuration that the schema calls USED is read where this table says.

    check_config_keys.py ROOT

A reader is a file and the member that it reads there: the part that acts, not what passes the setting on (agent_options.c).
"""
import os
import re
import sys

NODE, KUBE = 'lib/node/', 'lib/kube/'
READERS = {
    'KubeletConfiguration': {
        'kind': KUBE + 'kubelet_config.c "kind"', 'apiVersion': KUBE + 'kubelet_config.c "apiVersion"',
        'enableServer': NODE + 'agent_port.c enable_server', 'staticPodPath': NODE + 'agent_pods.c manifest_path',
        'podLogsDir': NODE + 'log_links.c log_dir', 'fileCheckFrequency': NODE + 'manifest_dir.c scan_interval',
        'address': NODE + 'node_port.c address', 'port': NODE + 'node_port.c port', 'readOnlyPort': NODE + 'local_api.c read_only_port',
        'tlsCertFile': NODE + 'serving_cert.c cert_file', 'tlsPrivateKeyFile': NODE + 'serving_cert.c key_file',
        'tlsMinVersion': NODE + 'node_port.c only_tls_1_3', 'authentication.x509.clientCAFile': NODE + 'port_access.c client_ca_file',
        'authentication.webhook.enabled': NODE + 'port_access.c tokens', 'authentication.webhook.cacheTTL': NODE + 'port_access.c token_ttl',
        'authentication.anonymous.enabled': NODE + 'port_access.c anonymous', 'authorization.mode': NODE + 'port_access.c always_allow',
        'authorization.webhook.cacheAuthorizedTTL': NODE + 'port_access.c authorized_ttl',
        'authorization.webhook.cacheUnauthorizedTTL': NODE + 'port_access.c unauthorized_ttl',
        'enableDebuggingHandlers': NODE + 'local_api.c debugging_handlers', 'healthzPort': NODE + 'local_api.c healthz_port',
        'healthzBindAddress': NODE + 'local_api.c healthz_address', 'clusterDomain': NODE + 'pod_net.c cluster_domain',
        'clusterDNS': NODE + 'pod_net.c cluster_dns', 'nodeStatusUpdateFrequency': 'lib/api/node.c status_interval',
        'nodeStatusReportFrequency': 'lib/api/node.c report_interval', 'nodeLeaseDurationSeconds': 'lib/api/node.c lease_seconds',
        'imageMinimumGCAge': NODE + 'image_gc.c min_age', 'imageMaximumGCAge': NODE + 'image_gc.c max_age',
        'imageGCHighThresholdPercent': NODE + 'image_gc.c high_percent', 'imageGCLowThresholdPercent': NODE + 'image_gc.c low_percent',
        'cgroupRoot': NODE + 'container_resources.c cgroup_root', 'cgroupDriver': NODE + 'agent_observe.c cgroup_driver',
        'maxPods': NODE + 'agent_admit.c max_pods', 'podPidsLimit': NODE + 'container_resources.c pod_pids_limit',
        'resolvConf': NODE + 'agent.c resolv_conf', 'evictionHard': KUBE + 'kubelet_config.c eviction_hard',
        'mergeDefaultEvictionSettings': KUBE + 'kubelet_decode.c "mergeDefaultEvictionSettings"',
        'systemReserved': KUBE + 'kubelet_config.c system_reserved', 'kubeReserved': KUBE + 'kubelet_config.c kube_reserved',
        'allowedUnsafeSysctls': NODE + 'agent_admit.c allowed_sysctls', 'providerID': 'lib/api/node_body.c provider_id',
        'logging.format': 'cmd/podwatch/run.c log_json', 'logging.verbosity': 'cmd/podwatch/run.c verbosity',
        'crashLoopBackOff.maxContainerRestartPeriod': NODE + 'pod_edge.c backoff_max',
        'registerWithTaints.key': 'lib/api/node_body.c key', 'registerWithTaints.value': 'lib/api/node_body.c value',
        'registerWithTaints.effect': 'lib/api/node_body.c effect', 'registerNode': 'lib/api/node.c unregistered',
        'rotateCertificates': NODE + 'api_side.c rotate_certificates',
    },
    'PodwatchConfiguration': {
        'kind': KUBE + 'kubelet_config.c "kind"', 'apiVersion': KUBE + 'kubelet_config.c "apiVersion"',
        'strict': NODE + 'manifest_source.c strict', 'stateDirectory': NODE + 'agent.c state_dir', 'runDirectory': NODE + 'agent.c run_dir',
        'socketGroup': NODE + 'local_api.c socket_group', 'dockerEndpoint': NODE + 'agent.c docker_host',
        'sandboxImage': NODE + 'sandbox_spec.c pause_image', 'journalSize': NODE + 'agent.c journal_bytes',
        'revisionHistoryLimit': NODE + 'agent.c revisions_kept', 'revertAfter': NODE + 'agent_pods.c revert_after',
        'removedHistoryLimit': NODE + 'agent_publish.c removed_kept', 'eachRemovalCounts': NODE + 'manifest_dir.c each_removal',
    },
}


def used(schema_text, kind):
    """Paths of the USED leaves below the kind's schema, in the words of the table."""
    schemas = {}
    for name, rows, identifier, api in re.findall(r'(\w+)_fields\[\] = \{(.*?)\n\};\n(?:static )?SCHEMA_DEFINE\((\w+), "(\w+)"\)', schema_text, re.S):
        assert name == identifier
        fields = re.findall(r'SCHEMA_(\w+)\("(\w+)", (\w+), (\w+)', rows)
        assert len(fields) == rows.count('SCHEMA_'), f'{name}: a row of another form'
        schemas[name] = (api, fields)

    def leaves(name):
        for form, key, of, status in schemas[name][1]:
            if status == 'USED' and form.startswith('OBJ'):
                yield from (f'{key}.{leaf}' for leaf in leaves(of))
            elif status == 'USED':
                yield key
    return set(leaves(next(n for n, (api, _) in schemas.items() if api == kind)))


def reads(root, reader):
    path, what = reader.split(' ')
    with open(os.path.join(root, path)) as f:
        text = f.read()
    return what in text if what.startswith('"') else re.search(rf'(->|\.){what}\b(?! *=[^=])', text) is not None


def main():
    root = sys.argv[1]
    with open(os.path.join(root, 'lib/kube/kubelet_schema.c')) as f:
        schema = f.read()
    problems = []
    for kind, table in READERS.items():
        keys = used(schema, kind)
        problems += [f'{kind}: {key} is USED, and nobody is known to read it' for key in sorted(keys - set(table))]
        problems += [f'{kind}: {key} is not USED' for key in sorted(set(table) - keys)]
        problems += [f'{kind}: {key} is not read as {reader}' for key, reader in sorted(table.items()) if not reads(root, reader)]
    print('1..1')
    print(f"{'not ok' if problems else 'ok'} 1 - who reads each key of the configuration")
    for problem in problems:
        print(f'# {problem}')
    sys.exit(1 if problems else 0)


main()

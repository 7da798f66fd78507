# SPDX-License-Identifier: Apache-2.0
"""The containers of a pod on real Docker: init containers, sidecars, what restartPolicy makes of an end, and the environment.

Each container writes a line when it begins and when it is told to end into a file of its pod; the order of the lines, and
Docker's event stream, are what is judged.
"""
import json

from cluster import PODWATCH_CONFIG, PODWATCH_YAML
from harness import Host, Podwatch, hold, wait_for

OUT = '/etc/kubernetes/out'


def steps(pod, name, script=None, **more):
    """A container that says that it has begun; without a script it stays until it is told to end, and says that too."""
    stay = f'trap "echo -{name} >> /out/{pod}; exit 0" TERM; while :; do sleep 0.05; done'
    return {'name': name, 'image': 'localhost/busybox:1', 'command': ['sh', '-c', f'echo +{name} >> /out/{pod}; {script or stay}'],
            'volumeMounts': [{'name': 'out', 'mountPath': '/out'}], **more}


def manifest(name, *containers, **spec):
    spec = {'hostNetwork': True, 'terminationGracePeriodSeconds': 20, 'containers': list(containers), **spec,
            'volumes': [{'name': 'out', 'hostPath': {'path': OUT, 'type': 'DirectoryOrCreate'}}]}
    return json.dumps({'apiVersion': 'v1', 'kind': 'Pod', 'metadata': {'name': name, 'labels': {'tier': 'front'}}, 'spec': spec})


def side(pod, name, **more):
    return steps(pod, name, restartPolicy='Always', **more)


def bad_end(pod, name):
    """What a container does that stays and, told to end, takes its time and ends badly."""
    return f'trap "sleep 1; echo -{name} >> /out/{pod}; exit 9" TERM; while :; do sleep 0.05; done'


def pods():
    slowly = {'startupProbe': {'exec': {'command': ['test', '-e', '/tmp/up']}, 'periodSeconds': 1, 'failureThreshold': 60}}
    slow = 'trap "echo -s1 >> /out/sides; exit 0" TERM; sleep 1.5; touch /tmp/up; echo up >> /out/sides; while :; do sleep 0.05; done'
    environment = [{'name': 'A', 'value': 'one'}, {'name': 'B', 'value': '$(A)-two'}, {'name': 'C', 'value': '$$(A) $(NONE)'},
                   {'name': 'NAME', 'valueFrom': {'fieldRef': {'fieldPath': 'metadata.name'}}},
                   {'name': 'TIER', 'valueFrom': {'fieldRef': {'fieldPath': "metadata.labels['tier']"}}},
                   {'name': 'NODE', 'valueFrom': {'fieldRef': {'fieldPath': 'spec.nodeName'}}},
                   {'name': 'IP', 'valueFrom': {'fieldRef': {'fieldPath': 'status.podIP'}}},
                   {'name': 'CPU', 'valueFrom': {'resourceFieldRef': {'resource': 'limits.cpu', 'divisor': '1m'}}},
                   {'name': 'MEMORY', 'valueFrom': {'resourceFieldRef': {'resource': 'requests.memory', 'divisor': '1Mi'}}}]
    return {
        'inits': manifest('inits', steps('inits', 'app'), initContainers=[
            steps('inits', 'i1', 'sleep 1; echo i1 done >> /out/inits'), steps('inits', 'i2', 'sleep 0.5; echo i2 done >> /out/inits')]),
        'again': manifest('again', steps('again', 'app'), initContainers=[steps('again', 'i', 'test $(wc -l < /out/again) -ge 2')]),
        'failed': manifest('failed', steps('failed', 'app'), initContainers=[steps('failed', 'i', 'exit 7')], restartPolicy='Never'),
        'sides': manifest('sides', steps('sides', 'app'), initContainers=[
            steps('sides', 's1', slow, restartPolicy='Always', **slowly), steps('sides', 'i', 'true'), side('sides', 's2')]),
        'job': manifest('job', steps('job', 'app', 'sleep 2'), initContainers=[side('job', 's')], restartPolicy='Never'),
        'sidenever': manifest('sidenever', steps('sidenever', 'app', 'until test -e /out/go; do sleep 0.1; done'), restartPolicy='Never',
                              initContainers=[steps('sidenever', 's', bad_end('sidenever', 's'), restartPolicy='Always')]),
        'sidefails': manifest('sidefails', steps('sidefails', 'app', 'sleep 1; exit 3'), initContainers=[side('sidefails', 's')], restartPolicy='Never'),
        'sideonfailure': manifest('sideonfailure', steps('sideonfailure', 'app', 'test $(grep -c +app /out/sideonfailure) -ge 2'),
                                  initContainers=[side('sideonfailure', 's')], restartPolicy='OnFailure'),
        'always': manifest('always', steps('always', 'app', 'exit 0')),
        'onfailure': manifest('onfailure', steps('onfailure', 'good', 'exit 0'), steps('onfailure', 'bad', 'exit 3'), restartPolicy='OnFailure'),
        'never': manifest('never', steps('never', 'good', 'exit 0'), steps('never', 'bad', 'exit 3'), restartPolicy='Never'),
        'environment': manifest('environment', {
            **steps('environment', 'app'), 'command': ['sh', '-c', 'env > /out/environment; echo "$0 $1" >> /out/environment; sleep 100000'],
            'args': ['$(B)', '$$(B) $(NONE)'], 'env': environment,
            'resources': {'limits': {'cpu': '250m', 'memory': '64Mi'}, 'requests': {'memory': '32Mi'}}}),
    }


class State:
    def put(self, name, text):
        self.host.write(f'/etc/kubernetes/manifests/{name}.yaml', text)

    def drop(self, name):
        self.host.run(['rm', f'/etc/kubernetes/manifests/{name}.yaml'])

    def status(self, name):
        return self.podwatch.pods()[f'default/{name}-node1']['status']

    def container(self, name, container):
        status = self.status(name)
        return next(c for c in status['containerStatuses'] + status.get('initContainerStatuses', []) if c['name'] == container)

    def lines(self, name):
        try:
            return self.host.read(f'{OUT}/{name}').splitlines()
        except FileNotFoundError:
            return []

    def running(self, name):
        return self.host.docker.containers(all=False, label=f'io.kubernetes.pod.name={name}-node1')

    def kill(self, name, container):
        self.host.docker.kill(self.container(name, container)['containerID'].removeprefix('docker://'))


def setup():
    state = State()
    state.host = Host('containers')
    state.host.docker.make_busybox()
    state.host.write(PODWATCH_CONFIG, PODWATCH_YAML)
    state.podwatch = Podwatch(state.host).start()
    for name, text in pods().items():
        state.put(name, text)
    return state


def test_init_containers_run_one_after_the_other_before_the_rest(state):
    wait_for(lambda: state.status('inits')['phase'] == 'Running' and '+app' in state.lines('inits'), 30, 'the app')
    assert state.lines('inits') == ['+i1', 'i1 done', '+i2', 'i2 done', '+app'], state.lines('inits')
    ended = state.container('inits', 'i2')
    assert ended['ready'] and ended['state']['terminated']['reason'] == 'Completed', ended


def test_init_container_that_fails_is_tried_again(state):
    wait_for(lambda: '+app' in state.lines('again'), 30, 'the app')
    assert state.lines('again') == ['+i', '+i', '+app'], state.lines('again')
    wait_for(lambda: state.container('again', 'i')['restartCount'] == 1, 10, 'its count')


def test_init_container_that_fails_for_good_fails_the_pod(state):
    wait_for(lambda: state.status('failed')['phase'] == 'Failed', 20, 'the failure')
    assert state.lines('failed') == ['+i']
    waiting = state.container('failed', 'app')['state']['waiting']
    assert waiting['reason'] == 'PodInitializing', waiting
    assert not state.running('failed')


def test_sidecars_start_in_order_and_before_what_follows(state):
    wait_for(lambda: '+app' in state.lines('sides'), 30, 'the app')
    assert state.lines('sides') == ['+s1', 'up', '+i', '+s2', '+app'], state.lines('sides')
    wait_for(lambda: state.container('sides', 's1')['started'] is True, 10, 'the first to have started')


def test_killed_sidecar_is_restarted_alone(state):
    state.kill('sides', 's2')
    wait_for(lambda: state.lines('sides').count('+s2') == 2, 20, 'the sidecar')
    assert state.lines('sides').count('+i') == 1 and state.lines('sides').count('+app') == 1, state.lines('sides')
    wait_for(lambda: state.container('sides', 's2')['restartCount'] == 1, 10, 'its count')
    assert state.container('sides', 'app')['restartCount'] == 0


def test_sidecars_end_after_the_rest_in_reverse_order(state):
    state.drop('sides')
    wait_for(lambda: not state.running('sides'), 40, 'the end of the pod')
    assert state.lines('sides')[-3:] == ['-app', '-s2', '-s1'], state.lines('sides')


def test_sidecars_end_with_a_pod_that_completes(state):
    wait_for(lambda: state.status('job')['phase'] == 'Succeeded', 40, 'the completion')
    assert state.lines('job') == ['+s', '+app', '-s'], state.lines('job')
    wait_for(lambda: not state.running('job'), 10, 'its sandbox to go')


def test_sidecars_have_a_restart_policy_of_their_own(state):
    """Of a pod that restarts nothing: the sidecar comes again, and how it ends in the end counts for nothing."""
    wait_for(lambda: '+app' in state.lines('sidenever'), 20, 'the app')
    state.kill('sidenever', 's')
    wait_for(lambda: state.lines('sidenever') == ['+s', '+app', '+s'] and state.container('sidenever', 's')['restartCount'] == 1, 20, 'the sidecar alone')
    state.host.write(f'{OUT}/go', '')
    wait_for(lambda: state.status('sidenever')['phase'] == 'Succeeded', 40, 'the completion')
    assert state.lines('sidenever') == ['+s', '+app', '+s', '-s'], state.lines('sidenever')
    assert state.container('sidenever', 's')['state']['terminated']['exitCode'] == 9


def test_sidecars_end_with_a_pod_that_fails(state):
    wait_for(lambda: state.status('sidefails')['phase'] == 'Failed', 40, 'the failure')
    assert state.lines('sidefails') == ['+s', '+app', '-s'], state.lines('sidefails')
    assert state.container('sidefails', 'app')['state']['terminated']['exitCode'] == 3
    assert state.container('sidefails', 's')['restartCount'] == 0


def test_sidecars_stay_while_the_rest_is_tried_again(state):
    wait_for(lambda: state.status('sideonfailure')['phase'] == 'Succeeded', 40, 'the completion')
    assert state.lines('sideonfailure') == ['+s', '+app', '+app', '-s'], state.lines('sideonfailure')
    counts = [state.container('sideonfailure', c)['restartCount'] for c in ('s', 'app')]
    assert counts == [0, 1], counts
    wait_for(lambda: not state.running('sideonfailure'), 10, 'its sandbox to go')


def test_restart_policy_always(state):
    wait_for(lambda: state.container('always', 'app')['restartCount'] >= 1, 30, 'a restart')
    assert state.status('always')['phase'] == 'Running'
    wait_for(lambda: state.container('always', 'app')['state'].get('waiting', {}).get('reason') == 'CrashLoopBackOff', 20, 'the backoff')


def test_restart_policy_on_failure(state):
    wait_for(lambda: state.container('onfailure', 'bad')['restartCount'] >= 1, 30, 'a restart of what failed')
    good = wait_for(lambda: [c for c in [state.container('onfailure', 'good')] if 'terminated' in c['state']], 10, 'the end of the other')[0]
    assert good['restartCount'] == 0 and good['state']['terminated']['exitCode'] == 0, good
    assert state.status('onfailure')['phase'] == 'Running' and state.lines('onfailure').count('+good') == 1


def test_restart_policy_never(state):
    wait_for(lambda: state.status('never')['phase'] == 'Failed', 30, 'the end')
    hold(lambda: state.lines('never').count('+bad') == 1, 1, 'one run', 0.2)
    assert state.container('never', 'bad')['state']['terminated']['exitCode'] == 3


def test_environment_and_arguments(state):
    lines = wait_for(lambda: [x for x in [state.lines('environment')] if len(x) > 9], 30, 'its environment')[0]
    have = dict(line.split('=', 1) for line in lines if '=' in line)
    expected = {'A': 'one', 'B': 'one-two', 'C': '$(A) $(NONE)', 'NAME': 'environment-node1', 'TIER': 'front', 'NODE': 'node1',
                'IP': state.status('environment')['podIP'], 'CPU': '250', 'MEMORY': '32'}
    assert {k: have.get(k) for k in expected} == expected, have
    wait_for(lambda: state.lines('environment')[-1] == 'one-two $(B) $(NONE)', 5, 'the arguments')

/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "base/buf.h"
#include "codec/cjson_get.h"
#include "node/describe.h"

static const char whole[] =
        "{'pod':{'metadata':{'name':'a-n1','namespace':'default','uid':'u1','labels':{'app':'a','tier':'b'},"
        "'annotations':{'note':'one\\ntwo'}},'spec':{'priority':5,'priorityClassName':'high','initContainers':[{'name':"
        "'first','image':'i'}],'containers':[{'name':'c','image':'img:1','command':['sh','-c','a\\nb'],'ports':[{"
        "'containerPort':80,'name':'web','hostPort':80},{'containerPort':53,'protocol':'UDP'}],'env':[{'name':'A','"
        "value':"
        "'b'},{'name':'S','valueFrom':{'secretKeyRef':{'name':'s','key':'k','optional':true}}},{'name':'M','valueFrom':"
        "{"
        "'configMapKeyRef':{'name':'m','key':'k'}}},{'name':'F','valueFrom':{'fieldRef':{'fieldPath':'status.podIP'}}},"
        "{"
        "'name':'R','valueFrom':{'resourceFieldRef':{'resource':'limits.cpu'}}}],'envFrom':[{'secretRef':{'name':'s'}}]"
        ","
        "'resources':{'limits':{'cpu':2,'memory':'64Mi'}},'livenessProbe':{'httpGet':{'scheme':'HTTPS','port':'web','"
        "path':"
        "'/healthz'},'initialDelaySeconds':3},'readinessProbe':{'tcpSocket':{'port':80}},'startupProbe':{'exec':{"
        "'command':['cat','/x']}},'volumeMounts':[{'name':'v','mountPath':'/"
        "v','readOnly':true,'subPath':'p'}]}],'volumes':"
        "[{'name':'v','hostPath':{'path':'/h','type':'Directory'}}]},'status':{'phase':'Running','startTime':"
        "'2026-01-01T00:00:00Z','podIP':'1.2.3.4','qosClass':'Burstable','conditions':[{'type':'Ready','status':'False'"
        ","
        "'reason':'ContainersNotReady','message':'c','lastTransitionTime':'2026-01-01T00:09:00Z'}],"
        "'initContainerStatuses':[{'name':'first','state':{'terminated':{'exitCode':0,'reason':'Completed'}}}],"
        "'containerStatuses':[{'name':'c','containerID':'docker://1','imageID':'docker://2','restartCount':2,'state':{"
        "'waiting':{'reason':'CrashLoopBackOff','message':'back-off'}},'lastState':{'terminated':{'exitCode':137,'"
        "reason':"
        "'OOMKilled','startedAt':'2026-01-01T00:08:00Z','finishedAt':'2026-01-01T00:09:00Z'}}}]}},"
        "'node':{'nodeName':'n1','nodeIP':'10.0.0.1','now':'2026-01-01T00:10:00Z','file':'/m/a.yaml','revision':3,"
        "'nextRevision':4,'step':'Active','waits':[{'container':'c','reason':'CrashLoopBackOff','message':'back-off',"
        "'until':'2026-01-01T00:10:07Z'}],'probes':[{'container':'c','kind':'Liveness','next':'2026-01-01T00:10:03Z',"
        "'results':[{'time':'2026-01-01T00:09:50Z','outcome':'failure','tookMs':12,'output':'statuscode: 500'},{'time':"
        "'2026-01-01T00:09:55Z','outcome':'success','tookMs':3}]}],'ends':{'c':[{'finishedAt':'2026-01-01T00:09:00Z',"
        "'exitCode':137,'reason':'Error','cause':'Liveness probe "
        "failed'}]}},'events':[{'type':'Normal','reason':'Started',"
        "'message':'Started container c','count':1,'firstTimestamp':'2026-01-01T00:09:00Z','lastTimestamp':"
        "'2026-01-01T00:09:00Z','involvedObject':{'namespace':'default','name':'a-n1','fieldPath':'spec.containers{c}'}"
        "}]}";

static const char expected[] =
        "Name:                  a-n1\n"
        "Namespace:             default\n"
        "Priority:              5\n"
        "Priority Class Name:   high\n"
        "Node:                  n1/10.0.0.1\n"
        "File:                  /m/a.yaml\n"
        "Revision:              3; 4 is about to take its place\n"
        "UID:                   u1\n"
        "Start Time:            2026-01-01T00:00:00Z\n"
        "Labels:                app=a\n"
        "                       tier=b\n"
        "Annotations:           note=one\n"
        "                       two\n"
        "Status:                CrashLoopBackOff\n"
        "IP:                    1.2.3.4\n"
        "QoS Class:             Burstable\n"
        "Init Containers:\n"
        "  first:\n"
        "    Container ID:      \n"
        "    Image:             i\n"
        "    Image ID:          \n"
        "    Ports:             <none>\n"
        "    Host Ports:        <none>\n"
        "    State:             Terminated\n"
        "      Reason:          Completed\n"
        "      Exit Code:       0\n"
        "    Ready:             False\n"
        "    Restart Count:     0\n"
        "    Environment:       <none>\n"
        "    Mounts:            <none>\n"
        "Containers:\n"
        "  c:\n"
        "    Container ID:      docker://1\n"
        "    Image:             img:1\n"
        "    Image ID:          docker://2\n"
        "    Ports:             80/TCP (web), 53/UDP\n"
        "    Host Ports:        80/TCP, 0/UDP\n"
        "    Command:\n"
        "      sh\n"
        "      -c\n"
        "      a\n"
        "      b\n"
        "    State:             Waiting\n"
        "      Reason:          CrashLoopBackOff\n"
        "      Message:         back-off\n"
        "    Last State:        Terminated\n"
        "      Reason:          OOMKilled\n"
        "      Exit Code:       137 (SIGKILL)\n"
        "      Started:         2026-01-01T00:08:00Z\n"
        "      Finished:        2026-01-01T00:09:00Z\n"
        "    Ready:             False\n"
        "    Restart Count:     2\n"
        "    Earlier Runs:\n"
        "      2026-01-01T00:09:00Z  exit code 137  Error (Liveness probe failed)\n"
        "    Limits:\n"
        "      cpu:             2\n"
        "      memory:          64Mi\n"
        "    Liveness:          http-get https://:web/healthz delay=3s timeout=1s period=10s #success=1 #failure=3\n"
        "      2026-01-01T00:09:50Z  (10s ago)  failure in 12 ms: statuscode: 500\n"
        "      2026-01-01T00:09:55Z  (5s ago)  success in 3 ms\n"
        "      next in 3s\n"
        "    Readiness:         tcp-socket :80 delay=0s timeout=1s period=10s #success=1 #failure=3\n"
        "    Startup:           exec [cat /x] delay=0s timeout=1s period=10s #success=1 #failure=3\n"
        "    Environment From:  s  Secret\n"
        "    Environment:\n"
        "      A:               b\n"
        "      S:               <set to the key 'k' in secret 's'>  Optional: true\n"
        "      M:               <set to the key 'k' in config map 'm'>  Optional: false\n"
        "      F:               (status.podIP)\n"
        "      R:               (limits.cpu)\n"
        "    Mounts:\n"
        "      /v from v (ro,path=\"p\")\n"
        "Conditions:\n"
        "  Ready                      False  since 2026-01-01T00:09:00Z  ContainersNotReady: c\n"
        "Volumes:\n"
        "  v:                   hostPath path=/h type=Directory\n"
        "Waits and Troubles:\n"
        "  c: CrashLoopBackOff: back-off (next try in 7s)\n"
        "Events:\n"
        "LAST SEEN   TYPE     REASON    OBJECT            MESSAGE\n"
        "60s         Normal   Started   default/a-n1[c]   Started container c\n";

/* The texts have single quotes for double ones, but where a value has them. */
static cJSON *parse(const char *text)
{
        struct buf json CLEANUP_BUF = BUF_INIT(65536);

        for (; *text; text++) {
                if (*text == '\n')
                        buf_addstr(&json, "\\n");
                else
                        buf_addch(&json, *text == '\'' ? '"' : *text);
        }
        return cJSON_Parse(buf_str(&json));
}

static void test_whole(void **state)
{
        (void)state;
        cJSON *object CLEANUP_CJSON = parse(whole);
        struct buf out CLEANUP_BUF = BUF_INIT(65536);

        assert_non_null(object);
        describe_text(object, &out);
        assert_string_equal(buf_str(&out), expected);
}

/* Whatever podwatch of another version leaves out. */
static void test_empty(void **state)
{
        static const char *const texts[] = {"{}", "[]", "{'pod':{'spec':{'containers':[{}],'volumes':[{}]}}}",
                                            "{'pod':{'spec':{'containers':[{'livenessProbe':{},'env':[{}],'envFrom':[{}"
                                            "],'ports':[{}],'command':[1]}]}},"
                                            "'node':{'probes':[{'results':[{}]}],'ends':{'':[{}]}},'events':[{}]}"};
        (void)state;
        for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
                cJSON *object CLEANUP_CJSON = parse(texts[i]);
                struct buf out CLEANUP_BUF = BUF_INIT(65536);

                assert_non_null(object);
                describe_text(object, &out);
                assert_non_null(strstr(buf_str(&out), "Conditions:\n"));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_whole),
                cmocka_unit_test(test_empty),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

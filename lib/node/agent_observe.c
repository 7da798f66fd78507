/* SPDX-License-Identifier: Apache-2.0
 *
 * What the observer and the executor see of containers, told to the store: what is known of them, what is gone, what
 * nobody wants.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "docker/docker.h"
#include "kube/kubelet_config.h"
#include "net/loop.h"
#include "node/agent_private.h"
#include "node/api_side.h"
#include "node/container_name.h"
#include "node/observer.h"
#include "node/orphan.h"
#include "node/pod_exec.h"
#include "node/pod_store.h"
#include "node/revision.h"
#include "node/seen.h"
#include "node/trash.h"

/* What is known of a running container that nothing wants: its version on disk where that is still there, else what its
 * labels say. */
static struct pod *pod_of_orphan(void *userdata, const struct docker_containers *list, const struct docker_container *c,
                                 unsigned *ret_revision)
{
        const struct agent *agent = userdata;
        const char *namespace = docker_label(&c->labels, LABEL_POD_NAMESPACE);
        const char *name = docker_label(&c->labels, LABEL_POD_NAME);
        struct revision revision = {0};
        struct pod *pod = NULL;
        struct err err = ERR_INIT;

        *ret_revision = 0;
        if (namespace && name && !strchr(namespace, '/') && !strchr(name, '/') &&
            revision_current(agent->revisions, namespace, name, &revision, &err) == 0 &&
            str_eq(revision.pod->uid, docker_label(&c->labels, LABEL_POD_UID)) &&
            str_eq(revision.pod->spec_hash, docker_label(&c->labels, POD_LABEL_SPEC_HASH))) {
                pod = pod_ref(revision.pod);
                *ret_revision = revision.number;
        }
        revision_release(&revision);
        err_clear(&err);
        if (!pod && orphan_pod(list, c, &pod, &err) < 0)
                log_warning("container %.12s (%s) runs and is left alone: %s", c->id, c->name, err.msg);
        return pod;
}

static struct seen_by who_sees(struct agent *agent)
{
        return (struct seen_by){.loop = agent->loop,
                                .store = agent->store,
                                .observer = agent->observer,
                                .pod_of = pod_of_orphan,
                                .userdata = agent};
}

static void take_leftovers(struct agent *agent, const struct docker_containers *list)
{
        agent->leftovers_due = agent_leftovers(agent, list);
        trash_empty(agent->trash);
}

static void on_listed(void *userdata, const struct docker_containers *list)
{
        struct agent *agent = userdata;
        const struct seen_by by = who_sees(agent);

        agent->metrics.orphans += seen_list(&by, list);
        if (!agent->observed || agent->leftovers_due)
                take_leftovers(agent, list);
        agent_kick(agent);
}

void agent_observe(struct agent *agent, const struct docker_container *container)
{
        const struct seen_by by = who_sees(agent);

        seen_one(&by, container);
        agent_kick(agent);
}

void agent_observe_gone(struct agent *agent, const char *id)
{
        pod_store_gone(agent->store, id, loop_now(agent->loop));
        agent_kick(agent);
}

static void on_inspected(void *userdata, const struct docker_container *container)
{
        agent_observe(userdata, container);
}

static void on_gone(void *userdata, const char *id)
{
        agent_observe_gone(userdata, id);
}

static bool on_busy(void *userdata, const char *id)
{
        struct agent *agent = userdata;

        return pod_exec_busy(agent->exec, id);
}

static void on_runtime(void *userdata, bool ready, const char *why)
{
        struct agent *agent = userdata;
        usec_t now = loop_now(agent->loop);

        free(agent->runtime_why);
        agent->runtime_why = ready ? NULL : xstrdup(why);
        agent->runtime_ready = ready;
        if (ready) {
                pod_exec_forget(agent->exec);
                for (struct pod_entry *e = pod_store_next(agent->store, NULL); e && !agent->observed;
                     e = pod_store_next(agent->store, e))
                        agent_restore(agent, e, true);
                /* Documents may have changed while nobody looked at them. */
                if (!agent->observed)
                        agent_take_configs(agent);
                agent->observed = true;
                log_info("Docker %s answers", agent->docker_version);
        } else {
                log_warning("waits for Docker: %s", why);
        }
        pod_store_runtime(agent->store, NULL, ready, now);
        api_side_runtime(agent->api, NULL, NULL, agent->runtime_why);
        agent_say_waits(agent);
        agent_kick(agent);
}

/* The kubelet does not start there; podwatch asks Docker and needs no second opinion, so kubeadm's default must not
 * stop it. */
static void tell_cgroup_driver(struct agent *agent, const char *docker)
{
        const char *wanted = agent->config->kubelet->cgroup_driver;

        if (agent->told_cgroup_driver || !wanted || str_empty(docker) || str_eq(wanted, docker))
                return;
        agent->told_cgroup_driver = true;
        log_warning("cgroupDriver is %s, Docker's is %s: pods run with Docker's", wanted, docker);
}

/* Classes have other cgroups with another driver. */
static void take_cgroups(struct agent *agent, const struct docker_info *info)
{
        bool systemd = str_eq(info->cgroup_driver, "systemd");

        if (systemd != agent->host.cgroup_systemd)
                agent->class_milli = -1;
        agent->host.cgroup_systemd = systemd;
        agent->host.cgroup_version = info->cgroup_version == 2 ? 2 : 1;
}

static void on_about(void *userdata, const struct docker_version *version, const struct docker_info *info)
{
        struct agent *agent = userdata;
        const char *minor = version ? strchr(version->api_used, '.') : NULL;

        if (version) {
                free(agent->docker_version);
                agent->docker_version = xstrdup(version->version);
                (void)str_to_int(minor ? minor + 1 : "", 0, 1000, &agent->host.docker_api_minor);
        }
        if (info) {
                tell_cgroup_driver(agent, info->cgroup_driver);
                agent->host.has_app_armor = info->apparmor;
                take_cgroups(agent, info);
                free(agent->docker_root);
                agent->docker_root = xstrdup(info->root_dir ? info->root_dir : "");
                agent->host.docker_root = agent->docker_root;
        }
        api_side_runtime(agent->api, version, info, agent->runtime_why);
}

void agent_observer_new(struct agent *agent)
{
        static const struct observer_handlers handlers = {
                .listed = on_listed,
                .inspected = on_inspected,
                .gone = on_gone,
                .busy = on_busy,
                .runtime = on_runtime,
                .about = on_about,
        };

        agent->observer = observer_new(agent->loop, agent->docker, &handlers, agent);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include <systemd/sd-bus.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "base/strv.h"
#include "net/bus.h"
#include "node/cgroup.h"
#include "node/container_resources.h"
#include "node/host.h"
#include "node/slice_spec.h"
#include "node/slices.h"

#define ERROR_PREFIX "org.freedesktop.systemd1."

static const struct bus_peer systemd_peers[] = {
        {"unix:path=/run/dbus/system_bus_socket", true},
        {"unix:path=/run/systemd/private", false},
};

/* Who waits for several slices. */
struct request {
        size_t left;
        bool failed;
        slices_fn done;
        void *userdata;
};

enum step { STEP_MAKE, STEP_REMAKE, STEP_KEEP, STEP_SET, STEP_STOP, STEP_MAX };

/* One slice on its way. */
struct task {
        struct slices *slices;
        struct task *prev, *next;
        struct request *request;
        struct slice_spec spec; /* of one to stop only its name */
        enum step step;
        struct bus_call *call;
};

struct slices {
        struct bus *bus;
        struct task *tasks;
        bool told;
        bool made[POD_QOS_MAX]; /* the slice of this class was asked for */
};

/* --- requests ----------------------------------------------------------------------------------------------------- */

static struct request *request_new(slices_fn done, void *userdata)
{
        struct request *request = xcalloc(1, sizeof(*request));

        request->left = 1; /* whoever makes it */
        request->done = done;
        request->userdata = userdata;
        return request;
}

static void request_part_over(struct request *request, bool success)
{
        const struct request r = *request;

        request->failed = r.failed || !success;
        if (--request->left > 0)
                return;
        free(request);
        if (r.done)
                r.done(r.userdata, success && !r.failed);
}

static struct request *task_free(struct task *task)
{
        struct request *request = task->request;

        DL_DELETE(task->slices->tasks, task);
        slice_spec_release(&task->spec);
        free(task);
        return request;
}

static void task_over(struct task *task, bool success)
{
        request_part_over(task_free(task), success);
}

/* --- what is sent ------------------------------------------------------------------------------------------------- */

static int append_limits(sd_bus_message *message, const struct slice_spec *spec)
{
        int r = 0;

        for (size_t i = 0; r >= 0 && i < spec->limit_count; i++)
                r = sd_bus_message_append(message, "(sv)", spec->limits[i].property, "t", spec->limits[i].value);
        return r;
}

/* Accounting from the beginning: a controller that joins later counts only what comes after it. */
static int append_make(sd_bus_message *message, const struct slice_spec *spec)
{
        const char *const accounting[] = {"CPUAccounting", "MemoryAccounting", "TasksAccounting", spec->io_accounting};
        int r = sd_bus_message_append(message, "ss", spec->name, "replace");

        if (r >= 0)
                r = sd_bus_message_open_container(message, 'a', "(sv)");
        if (r >= 0)
                r = sd_bus_message_append(message, "(sv)(sv)(sv)", "Description", "s", spec->description, "Wants", "as",
                                          1, spec->above, "DefaultDependencies", "b", 0);
        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(accounting); i++)
                r = sd_bus_message_append(message, "(sv)", accounting[i], "b", 1);
        if (r >= 0)
                r = sd_bus_message_close_container(message);
        return r < 0 ? r : sd_bus_message_append(message, "a(sa(sv))", 0);
}

static int append_set(sd_bus_message *message, const struct slice_spec *spec)
{
        int r = sd_bus_message_append(message, "sb", spec->name, 1 /* until the next boot */);

        if (r >= 0)
                r = sd_bus_message_open_container(message, 'a', "(sv)");
        if (r >= 0)
                r = append_limits(message, spec);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

static int fill(void *userdata, sd_bus_message *message)
{
        const struct task *task = userdata;

        if (task->step == STEP_MAKE || task->step == STEP_REMAKE)
                return append_make(message, &task->spec);
        if (task->step == STEP_SET)
                return append_set(message, &task->spec);
        return sd_bus_message_append(message, "ss", task->spec.name, "replace");
}

/* --- what follows ------------------------------------------------------------------------------------------------- */

static void on_answer(void *userdata, const struct err *err, const char *name);

static void task_step(struct task *task, enum step step)
{
        static const char *const members[STEP_MAX] = {
                [STEP_MAKE] = "StartTransientUnit", [STEP_REMAKE] = "StartTransientUnit",
                [STEP_KEEP] = "StartUnit",          [STEP_SET] = "SetUnitProperties",
                [STEP_STOP] = "StopUnit",
        };
        const struct bus_method method = {"org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                                          "org.freedesktop.systemd1.Manager", members[step]};

        task->step = step;
        task->call = bus_call(task->slices->bus, &method, SLICES_TIMEOUT, fill, on_answer, task);
}

static void tell(struct slices *slices, const struct task *task, const struct err *err)
{
        if (slices->told)
                return;
        slices->told = true;
        if (task->step == STEP_STOP)
                log_warning("systemd does not stop %s, whose pod is gone: %s", task->spec.name, err->msg);
        else
                log_warning("%s has not the weights and limits that its pods ask for: %s", task->spec.name, err->msg);
}

/* A slice that is there was made by a container in it, or by us for an earlier life of the pod and is on its way out.
 * The latter is gone a moment later and is made anew: what is set of it stays in files below /run otherwise. Should it
 * be there still, its stop is taken back first, or what is set would go with it. */
static void on_answer(void *userdata, const struct err *err, const char *name)
{
        struct task *task = userdata;
        struct slices *slices = task->slices;
        bool sets = task->spec.limit_count > 0;

        task->call = NULL;
        if (task->step < STEP_KEEP && sets && str_eq(name, ERROR_PREFIX "UnitExists")) {
                task_step(task, task->step + 1);
                return;
        }
        if (!err && task->step < STEP_SET && sets) {
                task_step(task, STEP_SET);
                return;
        }
        if ((task->step == STEP_MAKE && str_eq(name, ERROR_PREFIX "UnitExists")) ||
            (task->step == STEP_STOP && str_eq(name, ERROR_PREFIX "NoSuchUnit")))
                err = NULL;
        if (err) {
                tell(slices, task, err);
                memset(slices->made, 0, sizeof(slices->made));
        } else {
                slices->told = false;
        }
        task_over(task, !err);
}

static struct task *find(const struct slices *slices, const char *name)
{
        struct task *task;

        DL_FOREACH (slices->tasks, task)
                if (str_eq(task->spec.name, name))
                        return task;
        return NULL;
}

/* What is still asked for the same slice is overtaken. */
static void overtake(struct slices *slices, const char *name)
{
        struct task *task = find(slices, name);

        if (!task)
                return;
        bus_cancel(task->call);
        task_over(task, true);
}

/* Takes spec over. */
static void begin(struct slices *slices, struct request *request, struct slice_spec *spec, enum step step)
{
        struct task *task = xcalloc(1, sizeof(*task));

        overtake(slices, spec->name);
        task->slices = slices;
        task->request = request;
        task->spec = *spec;
        request->left++;
        DL_APPEND(slices->tasks, task);
        task_step(task, step);
}

/* --- what is asked for -------------------------------------------------------------------------------------------- */

/* Before the first pod in it: systemd makes those above a slice as well, but not as units of ours, and what is set of
 * such a one lies in files of its own, which stay and count when it is made anew. */
static void make_class(struct slices *slices, const struct host *host, enum pod_qos class, struct request *request)
{
        struct slice_spec spec;

        if (class == POD_QOS_GUARANTEED || slices->made[class])
                return;
        slices->made[class] = true;
        slice_spec_class(host, class, CPU_SHARES_MIN, &spec);
        spec.limit_count = 0;
        if (find(slices, spec.name))
                slice_spec_release(&spec);
        else
                begin(slices, request, &spec, STEP_MAKE);
}

static void set_class(struct slices *slices, const struct host *host, enum pod_qos class, int64_t shares,
                      struct request *request)
{
        struct slice_spec spec;

        slices->made[class] = true;
        slice_spec_class(host, class, shares, &spec);
        begin(slices, request, &spec, STEP_MAKE);
}

static bool concerns(const struct slices *slices, const struct host *host)
{
        return slices && host->cgroups_per_qos && host->cgroup_systemd;
}

void slices_pod(struct slices *slices, const struct host *host, const struct pod *pod, slices_fn done, void *userdata)
{
        struct request *request = request_new(done, userdata);
        struct slice_spec spec;

        if (concerns(slices, host)) {
                make_class(slices, host, pod->qos, request);
                slice_spec_pod(host, pod, &spec);
                begin(slices, request, &spec, STEP_MAKE);
        }
        request_part_over(request, true);
}

void slices_classes(struct slices *slices, const struct host *host, int64_t burstable_milli, slices_fn done,
                    void *userdata)
{
        struct request *request = request_new(done, userdata);

        if (concerns(slices, host)) {
                set_class(slices, host, POD_QOS_BEST_EFFORT, CPU_SHARES_MIN, request);
                set_class(slices, host, POD_QOS_BURSTABLE, cpu_shares_from_milli(burstable_milli), request);
        }
        request_part_over(request, true);
}

void slices_stop(struct slices *slices, const struct host *host, const char *uid)
{
        struct request *request = request_new(NULL, NULL);
        struct strv names CLEANUP_STRV = STRV_INIT;
        const char *name;

        if (concerns(slices, host))
                cgroup_slices(host, uid, &names);
        STRV_FOREACH (name, &names) {
                struct slice_spec spec = {.name = xstrdup(name)};

                begin(slices, request, &spec, STEP_STOP);
        }
        request_part_over(request, true);
}

struct slices *slices_new(struct loop *loop, const struct bus_peer *peers, size_t peer_count)
{
        struct slices *slices = xcalloc(1, sizeof(*slices));

        slices->bus =
                peers ? bus_new(loop, peers, peer_count) : bus_new(loop, systemd_peers, ARRAY_SIZE(systemd_peers));
        return slices;
}

struct slices *slices_free(struct slices *slices)
{
        struct request *request;

        if (!slices)
                return NULL;
        slices->bus = bus_free(slices->bus);
        while (slices->tasks) {
                request = task_free(slices->tasks);
                if (--request->left == 0)
                        free(request);
        }
        free(slices);
        return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/value.h"
#include "phase/config_default.h"
#include "phase/config_validate.h"
#include "phase/kubelet_start.h"
#include "phase/preflight.h"
#include "phase/preflight_report.h"
#include "phase/problems.h"
#include "phase/proxy.h"
#include "phase/reset.h"
#include "phase/reset_cluster.h"
#include "phase/reset_config.h"
#include "phase/reset_etcd.h"
#include "phase/reset_files.h"
#include "phase/rootless.h"
#include "phase/service.h"

#define KUBERNETES_DIR "/etc/kubernetes"
#define MANIFESTS_DIR KUBERNETES_DIR "/manifests"
#define PKI_DIR KUBERNETES_DIR "/pki"
#define ETCD_DATA_DIR "/var/lib/etcd"
#define PODWATCH_STATE "/var/lib/podwatch"
#define PODWATCH_SOCKET "/run/podwatch/podwatch.sock"
#define WAIT_STEP_USEC 500000

struct reset {
        struct phase *phase;
        const struct reset_options *options;
        struct reset_config config;
        struct reset_cluster cluster;
        struct preflight_report report;
        const char *certificates_dir;
        struct strv stateful; /* directories that are cleaned last, in eras that have them apart */
        bool apart;           /* such an era */
        bool rootless;        /* where the cluster does not say: by manifests that are deleted on the way */
};

static void reset_release(struct reset *reset)
{
        reset_config_release(&reset->config);
        reset_cluster_release(&reset->cluster);
        strv_release(&reset->stateful);
        preflight_report_release(&reset->report);
}

/* A line of what a dry run would do; its first word is the era's. */
__attribute__((format(printf, 2, 3))) static void would(const struct reset *reset, const char *fmt, ...)
{
        char text[LIMIT_FINDING_BYTES];
        va_list ap;

        va_start(ap, fmt);
        (void)vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        phase_say(reset->phase, "[%s] Would %s", era_text(reset->phase->era, "reset", "dryRunPrefix", ""), text);
}

/* A dry run that only says what it would do; with -o json it looks at what there is to tell of. */
static bool only_says(const struct reset *reset)
{
        return reset->phase->options.dry_run && !phase_tells_actions(reset->phase);
}

/* util.InteractivelyConfirmAction */
static int confirm(const struct reset *reset, struct err *err)
{
        const struct phase_options *options = &reset->phase->options;
        FILE *to = phase_tells_actions(reset->phase) ? options->log : options->out;
        char *line CLEANUP_FREE = NULL;
        size_t size = 0;

        phase_warn(reset->phase,
                   "[reset] WARNING: Changes made to this host by 'kubeadm init' or 'kubeadm join' will be "
                   "reverted.");
        (void)fputs("[reset] Are you sure you want to proceed? [y/N]: ", to);
        (void)fflush(to);
        ssize_t n = reset->options->in ? getline(&line, &size, reset->options->in) : -1;
        if (n > 0)
                line[strcspn(line, "\r\n")] = '\0';
        if (n > 0 && (strcasecmp(line, "y") == 0 || strcasecmp(line, "yes") == 0))
                return 0;
        return err_set(err, ERR_USAGE, "won't proceed; the user didn't answer (Y|y) in order to continue");
}

static int run_preflight(struct reset *reset, struct err *err)
{
        bool force = reset->options->force || reset->config.force;
        int r = force || reset->phase->options.dry_run ? 0 : confirm(reset, err);

        if (r < 0)
                return r;
        phase_say(reset->phase, "[preflight] Running pre-flight checks");
        preflight_check_root(&reset->report);
        return preflight_report_end(&reset->report, err);
}

/* How many containers of pods there are, of the named container of the pods alone where it is not NULL; waits until
 * podwatch, whose manifests are gone, has stopped them. */
static void wait_for_containers(const struct reset *reset, const char *container)
{
        const struct reset_runtime *run = &reset->options->run;
        const uint64_t steps = (uint64_t)reset->options->wait_sec * 1000000 / WAIT_STEP_USEC;
        struct err why = ERR_INIT;
        size_t left = 0;

        for (uint64_t i = 0; run->count && i <= steps; i++) {
                if (run->count(run->userdata, container, &left, &why) < 0) {
                        phase_warn(reset->phase, "[reset] Cannot see whether the containers of the pods are gone: %s",
                                   why.msg);
                        return;
                }
                if (left == 0)
                        return;
                (void)usleep(WAIT_STEP_USEC);
        }
        if (run->count)
                phase_warn(reset->phase, "[reset] %zu containers of pods are still there after %u seconds", left,
                           reset->options->wait_sec);
}

/* etcd ends when it has left its cluster. podwatch would start it again at once, to write into the directory that is
 * being emptied. */
static void stop_etcd(const struct reset *reset)
{
        struct err why = ERR_INIT;

        phase_say(reset->phase, "[reset] Deleting " RESET_ETCD_MANIFEST " and waiting until podwatch has stopped etcd");
        if (reset_remove(reset->phase, RESET_ETCD_MANIFEST, &why) < 0)
                phase_warn(reset->phase, "[reset] Failed to remove file: \"" RESET_ETCD_MANIFEST "\" [%s]", why.msg);
        else
                wait_for_containers(reset, "etcd");
}

/* Whether the member is out. why: why the manifest does not say who it is, or "". */
static bool leave_etcd(const struct reset *reset, const struct reset_etcd *etcd, struct err *why)
{
        const char *certificates_dir = reset_cluster_certificates_dir(&reset->cluster) ?: reset->certificates_dir;
        bool known = etcd->peer_url != NULL;
        bool asked = reset->options->leave_etcd && (known || reset_cluster_has_local_etcd(&reset->cluster));

        if (asked && !known && *why->msg == '\0')
                (void)err_set(why, ERR_INVALID, "%s does not name it", RESET_ETCD_MANIFEST);
        bool left = asked && known && reset->options->leave_etcd(reset->phase, etcd, certificates_dir, why) == 0;
        if (asked && !left)
                phase_warn(reset->phase,
                           "[reset] Failed to remove etcd member: %s, please manually remove this etcd member using "
                           "etcdctl",
                           why->msg);
        if (reset->options->podwatch && etcd->data_dir)
                stop_etcd(reset);
        return left;
}

static void clean_etcd(const struct reset *reset, const char *data_dir)
{
        struct err why = ERR_INIT;

        if (reset_clean_directory(reset->phase, data_dir, &why) < 0)
                phase_warn(reset->phase, "[reset] Failed to delete contents of the etcd directory: \"%s\", error: %s",
                           data_dir, why.msg);
        else
                phase_say(reset->phase, "[reset] Deleted contents of the etcd data directory: %s", data_dir);
}

/* getEtcdDataDir: by the cluster's configuration, else by the manifest, which has been read with result r. NULL: the
 * etcd is not on this node. */
static const char *etcd_data_dir(const struct reset *reset, const struct reset_etcd *etcd, int r)
{
        const char *configured = reset_cluster_data_dir(&reset->cluster);

        if (configured)
                return configured;
        phase_warn(reset->phase, "[reset] No kubeadm config, using etcd pod spec to get data directory");
        if (r == 0)
                return etcd->data_dir;
        return r > 0 && !reset->apart ? ETCD_DATA_DIR : NULL;
}

static int run_remove_etcd_member(struct reset *reset, struct err *err)
{
        struct reset_etcd etcd CLEANUP_RESET_ETCD = {0};
        struct phase *phase = reset->phase;
        struct err why = ERR_INIT;
        int r = reset_etcd_read(phase, &etcd, &why);
        const char *data_dir = etcd_data_dir(reset, &etcd, r);

        (void)err;
        if (!data_dir) {
                phase_say(phase, "[reset] No etcd config found. Assuming external etcd");
                phase_say(phase, "[reset] Please, manually reset etcd to prevent further issues");
                return 0;
        }
        if (reset->apart)
                strv_add(&reset->stateful, data_dir);
        if (phase->options.dry_run && (r == 0 || reset_cluster_is_known(&reset->cluster))) {
                would(reset, "remove the etcd member on this node from the etcd cluster");
                if (!reset->apart)
                        would(reset, "delete contents of the etcd data directory: %s", data_dir);
        }
        if (phase->options.dry_run && !only_says(reset) && !reset->apart)
                clean_etcd(reset, data_dir);
        if (phase->options.dry_run)
                return 0;
        bool left = leave_etcd(reset, &etcd, &why);
        if (reset->apart)
                return 0;
        if (left && reset_cluster_is_known(&reset->cluster))
                clean_etcd(reset, data_dir);
        if (!reset_directory_is_empty(phase, data_dir))
                clean_etcd(reset, data_dir);
        return 0;
}

/* What podwatch must do before its files go: nothing of this is kubeadm's. */
static void stop_pods(const struct reset *reset)
{
        struct phase *phase = reset->phase;
        struct err why = ERR_INIT;

        if (!reset->options->podwatch)
                return;
        if (reset->phase->options.dry_run) {
                would(reset, "delete the manifests in %s and wait until podwatch has stopped their pods",
                      MANIFESTS_DIR);
                return; /* they are among what cleanup-node would delete in any case */
        }
        phase_say(phase, "[reset] Deleting the manifests in %s and waiting until podwatch has stopped their pods",
                  MANIFESTS_DIR);
        if (reset_clean_directory(phase, MANIFESTS_DIR, &why) < 0)
                phase_warn(phase, "[reset] Failed to delete contents of \"%s\" directory: %s", MANIFESTS_DIR, why.msg);
        else
                wait_for_containers(reset, NULL);
}

static void stop_service(const struct reset *reset)
{
        const char *name = reset->options->podwatch ? "podwatch" : "kubelet";
        struct phase *phase = reset->phase;
        struct err why = ERR_INIT;

        if (!service_init_system(phase)) {
                phase_warn(phase,
                           "[reset] The %s service could not be stopped by kubeadm. Unable to detect a supported "
                           "init system!",
                           name);
                phase_warn(phase, "[reset] Please ensure %s is stopped manually", name);
        } else if (reset->phase->options.dry_run) {
                would(reset, "stop the %s service", name);
                (void)service_act(phase, SERVICE_STOP, name, NULL);
        } else {
                phase_say(phase, "[reset] Stopping the %s service", name);
                if (service_act(phase, SERVICE_STOP, name, &why) < 0) {
                        phase_warn(phase, "[reset] The %s service could not be stopped by kubeadm: [%s]", name,
                                   why.msg);
                        phase_warn(phase, "[reset] Please ensure %s is stopped manually", name);
                }
        }
}

static void remove_containers(const struct reset *reset)
{
        const struct reset_runtime *run = &reset->options->run;
        struct err why = ERR_INIT;

        if (reset->phase->options.dry_run) {
                would(reset, "remove Kubernetes-managed containers");
                return;
        }
        phase_detail(reset->phase, 1, "[reset] Removing Kubernetes-managed containers");
        if (run->remove_all && run->remove_all(run->userdata, reset->phase, &why) < 0)
                phase_warn(reset->phase, "[reset] Failed to remove containers: %s", why.msg);
}

#define UNMOUNTING "[reset] Unmounting mounted directories in \"" KUBELET_DIRECTORY "\""

/* The kubelet's directory, its mounts first. Adds it to what is to be cleaned. */
static int unmount(const struct reset *reset, struct strv *dirs, struct err *err)
{
        struct phase *phase = reset->phase;
        bool told_first = era_flag(phase->era, "reset", "unmountToldFirst");
        char *resolved CLEANUP_FREE = NULL;
        struct err why = ERR_INIT;

        if (reset->phase->options.dry_run) {
                would(reset, "unmount mounted directories in \"" KUBELET_DIRECTORY "\"");
                if (only_says(reset))
                        return 0;
        } else if (told_first) {
                phase_say(phase, UNMOUNTING);
        }
        if (reset_resolve(phase, KUBELET_DIRECTORY, &resolved, &why) < 0) {
                if (told_first)
                        phase_warn(phase,
                                   "[reset] Failed to evaluate the \"" KUBELET_DIRECTORY
                                   "\" directory. Skipping its unmount and cleanup: %s",
                                   why.msg);
                else
                        phase_warn(phase, "[reset] Skipping unmount of directories in \"" KUBELET_DIRECTORY "\": %s",
                                   why.msg);
                return 0;
        }
        if (!told_first)
                phase_say(phase, UNMOUNTING);
        int r = reset_unmount_below(phase, resolved, &reset->config.unmount_flags, err);
        if (r == 0)
                strv_add(dirs, resolved);
        return r;
}

/* what: which directories, in the words of the era */
static void delete_directories(const struct reset *reset, const char *what, const struct strv *dirs)
{
        char *text CLEANUP_FREE = strv_join(dirs, " ");
        struct err why = ERR_INIT;
        const char *dir;

        if (reset->phase->options.dry_run)
                would(reset, "delete contents of %s: [%s]", what, text);
        else
                phase_say(reset->phase, "[reset] Deleting contents of %s: [%s]", what, text);
        if (only_says(reset))
                return;
        STRV_FOREACH (dir, dirs)
                if (reset_clean_directory(reset->phase, dir, &why) < 0)
                        phase_warn(reset->phase, "[reset] Failed to delete contents of \"%s\" directory: %s", dir,
                                   why.msg);
}

static void delete_files(const struct reset *reset, const char *whose, const struct strv *files)
{
        char *text CLEANUP_FREE = strv_join(files, " ");
        struct err why = ERR_INIT;
        const char *file;

        if (files->len == 0)
                return;
        if (reset->phase->options.dry_run)
                would(reset, "delete files%s: [%s]", whose, text);
        else
                phase_say(reset->phase, "[reset] Deleting files%s: [%s]", whose, text);
        if (only_says(reset))
                return;
        STRV_FOREACH (file, files)
                if (reset_remove(reset->phase, file, &why) < 0)
                        phase_warn(reset->phase, "[reset] Failed to remove file: \"%s\" [%s]", file, why.msg);
}

static void delete_all_files(const struct reset *reset)
{
        static const char *const names[] = {
                "admin", "super-admin", "kubelet", "bootstrap-kubelet", "controller-manager", "scheduler"};
        static const char *const own[] = {PROXY_KUBECONFIG, PROXY_CONFIG_DIRECTORY};
        struct strv files CLEANUP_STRV = STRV_INIT, ours CLEANUP_STRV = STRV_INIT;

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (!str_eq(names[i], "super-admin") || era_flag(reset->phase->era, "reset", "superAdmin"))
                        strv_addf(&files, KUBERNETES_DIR "/%s.conf", names[i]);
        delete_files(reset, "", &files);
        for (size_t i = 0; i < ARRAY_SIZE(own); i++)
                if (phase_exists(reset->phase, own[i]))
                        strv_add(&ours, own[i]);
        delete_files(reset, " of genphase proxy", &ours);
}

static void remove_users(const struct reset *reset)
{
        struct err why = ERR_INIT;

        if (!reset->rootless)
                return;
        if (reset->phase->options.dry_run) {
                would(reset, "remove users and groups created for rootless control-plane");
                return;
        }
        phase_detail(reset->phase, 1, "[reset] Removing users and groups created for rootless control-plane");
        if (rootless_remove_users(reset->phase, &why) < 0)
                phase_warn(reset->phase, "[reset] Failed to remove users and groups: %s", why.msg);
}

/* kubeadm leaves it without a word: its default stands before what it asked the cluster. */
static void warn_of_certificates(const struct reset *reset)
{
        const char *dir = reset_cluster_certificates_dir(&reset->cluster);

        if (dir && !str_eq(dir, reset->certificates_dir) && phase_exists(reset->phase, dir))
                phase_warn(reset->phase,
                           "[reset] The certificates directory of the cluster, \"%s\", is not cleaned: that takes "
                           "--cert-dir",
                           dir);
}

static int run_cleanup_node(struct reset *reset, struct err *err)
{
        struct strv dirs CLEANUP_STRV = STRV_INIT, *last = reset->apart ? &reset->stateful : &dirs;
        const struct value *more = era_value(reset->phase->era, "reset", "moreDirectories");

        stop_pods(reset);
        strv_add(&dirs, MANIFESTS_DIR);
        stop_service(reset);
        int r = unmount(reset, last, err);
        if (r < 0)
                return r;
        remove_containers(reset);
        if (!str_eq(reset->certificates_dir, PKI_DIR))
                phase_warn(reset->phase, "[reset] WARNING: Cleaning a non-default certificates directory: \"%s\"",
                           reset->certificates_dir);
        warn_of_certificates(reset);
        strv_add(&dirs, reset->certificates_dir);
        if (reset->options->cleanup_tmp_dir || reset->config.cleanup_tmp_dir)
                strv_add(&dirs, KUBERNETES_DIR "/tmp");
        for (size_t i = 0; value_is(more, VALUE_LIST) && i < more->list.count; i++)
                strv_add(last, value_string(more->list.items[i], ""));
        delete_directories(reset, era_text(reset->phase->era, "reset", "directories", ""), &dirs);
        delete_all_files(reset);
        remove_users(reset);
        return 0;
}

static const struct {
        const char *name;
        int (*run)(struct reset *reset, struct err *err);
} phases[] = {
        {"preflight", run_preflight},
        {"remove-etcd-member", run_remove_etcd_member},
        {"cleanup-node", run_cleanup_node},
};

static int check_phase_name(const char *name, struct err *err)
{
        for (size_t i = 0; i < ARRAY_SIZE(phases); i++)
                if (str_eq(phases[i].name, name))
                        return 0;
        return err_set(err, ERR_USAGE, "invalid phase name: %s", name);
}

/* ValidateMixedArguments */
static int check_mixed(const struct reset_options *options, struct err *err)
{
        const struct {
                const char *name;
                bool given;
        } flags[] = {{"cert-dir", options->cert_dir != NULL},
                     {"cleanup-tmp-dir", options->cleanup_tmp_dir},
                     {"cri-socket", options->cri_socket != NULL},
                     {"force", options->force}};
        struct strv mixed CLEANUP_STRV = STRV_INIT;

        for (size_t i = 0; options->config_file && i < ARRAY_SIZE(flags); i++)
                if (flags[i].given)
                        strv_add(&mixed, flags[i].name);
        char *names CLEANUP_FREE = strv_join(&mixed, " ");
        return mixed.len == 0 ? 0 : err_set(err, ERR_USAGE, "can not mix '--config' with arguments [%s]", names);
}

/* What is not absolute would be looked for in the directory of the caller. "" is the default, as for kubeadm. */
static int choose_certificates_dir(struct reset *reset, struct err *err)
{
        const char *given = reset->options->cert_dir, *configured = reset->config.certificates_dir;

        reset->certificates_dir = !str_empty(given) ? given : !str_empty(configured) ? configured : PKI_DIR;
        if (reset->certificates_dir[0] == '/')
                return 0;
        reset->phase->exit_code = phase_validation_exit_code(reset->phase);
        return err_set(err, ERR_INVALID, "certificatesDir: Invalid value: \"%s\": path is not absolute", given);
}

static int prepare(struct reset *reset, struct err *err)
{
        const struct reset_options *options = reset->options;
        struct config_problems problems CLEANUP_PROBLEMS = {0};
        struct strv ignored CLEANUP_STRV = STRV_INIT;
        const char *name;
        int r = check_mixed(options, err);

        if (r == 0 && options->config_file)
                r = reset_config_read(reset->phase, options->config_file, &reset->config, err);
        if (r == 0)
                r = choose_certificates_dir(reset, err);
        if (r == 0)
                reset_cluster_ask(reset->phase, options, &reset->cluster);
        config_default_static(reset->phase->config, reset->phase->era);
        if (reset->config.etcd_api_call_nsec > 0)
                reset->phase->config->init.timeouts.etcd_api_call.nsec = reset->config.etcd_api_call_nsec;
        strv_copy(&ignored, &options->ignored);
        STRV_FOREACH (name, &reset->config.ignore_preflight_errors)
                strv_add(&ignored, name);
        preflight_report_init(&reset->report, reset->phase, NULL, &ignored);
        config_check_ignored(reset->phase->era, NULL, &ignored, &problems);
        if (r == 0 && problems.errors > 0) {
                r = config_problems_aggregate(&problems, err);
                reset->phase->exit_code = phase_validation_exit_code(reset->phase);
        }
        const struct strv *skipped = options->skipped.len > 0 ? &options->skipped : &reset->config.skip_phases;
        STRV_FOREACH (name, skipped)
                if (r == 0)
                        r = check_phase_name(name, err);
        if (r == 0 && options->only)
                r = check_phase_name(options->only, err);
        reset->rootless = reset_cluster_is_known(&reset->cluster) ? reset_cluster_is_rootless(&reset->cluster)
                                                                  : rootless_is_used(reset->phase);
        reset->apart = era_flag(reset->phase->era, "reset", "statefulDirectories");
        reset->phase->options.dry_run |= reset->config.dry_run;
        return r;
}

bool reset_host_has_podwatch(const struct phase *phase)
{
        if (!str_empty(phase->options.rootfs))
                return false;
        /* It may run without a service of its own. */
        return preflight_try_socket(PODWATCH_SOCKET, NULL) == 0 ||
               (service_init_system(phase) && str_eq(kubelet_service(phase), "podwatch"));
}

int phase_reset(struct phase *phase, const struct reset_options *options, struct err *err)
{
        struct reset reset CLEANUP(reset_release) = {.phase = phase, .options = options};
        int r = prepare(&reset, err);

        if (r < 0)
                return r;
        const struct strv *skipped = options->skipped.len > 0 ? &options->skipped : &reset.config.skip_phases;
        for (size_t i = 0; i < ARRAY_SIZE(phases); i++) {
                if (options->only ? !str_eq(options->only, phases[i].name) : strv_contains(skipped, phases[i].name))
                        continue;
                phase->step = phases[i].name;
                r = phases[i].run(&reset, err);
                if (r < 0)
                        return err_wrap(err, "error execution phase %s", phases[i].name);
        }
        if (options->only)
                return 0;
        if (reset.apart)
                delete_directories(&reset, "stateful directories", &reset.stateful);
        if (!phase->options.quiet && !phase_tells_actions(phase))
                (void)fputs(era_text(phase->era, "reset", "instructions", ""), phase->options.out);
        if (options->podwatch)
                phase_say(phase, "podwatch's own record of what it ran stays in %s.", PODWATCH_STATE);
        return 0;
}

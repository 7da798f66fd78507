/* SPDX-License-Identifier: Apache-2.0
 *
 * SystemVerification (k8s.io/system-validators): the kernel's release, its configuration and its cgroups. What was
 * looked at is kept as a table, which is shown where something is wrong. What is wanted is data (eras.yaml, group
 * preflight: kernelReleases, kernelOptions, cgroups).
 */
#include <errno.h>
#include <glob.h>
#include <regex.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/value.h"
#include "phase/preflight.h"
#include "phase/preflight_verify.h"
#include "phase/service.h"
#include "phase/template.h"

#define CHECK PREFLIGHT_SYSTEM
#define CGROUP_ROOT "/sys/fs/cgroup"
#define MOUNTS "/proc/mounts"
#define TABLE_MAX (256 * 1024)

/* StreamReporter.Report */
void verification_show(struct verification *v, enum verification_result result, const char *key, const char *text)
{
        static const int colours[VERIFICATION_MAX] = {
                [VERIFICATION_GOOD] = 32, [VERIFICATION_BAD] = 31, [VERIFICATION_WARN] = 33};

        buf_addf(&v->table, "\033[0;37m%s\033[0m: \033[0;%dm%s\033[0m\n", key, colours[result], text);
}

void verification_fail(struct verification *v, const char *fmt, ...)
{
        struct buf text CLEANUP_BUF = BUF_INIT(TABLE_MAX);
        va_list ap;

        va_start(ap, fmt);
        buf_addfv(&text, fmt, ap);
        va_end(ap);
        preflight_error(v->report, CHECK, "%s", buf_str(&text));
        v->failed = true;
}

static const struct value *wanted(const struct verification *v, const char *row, const char *list)
{
        return value_map_get(era_value(v->report->phase->era, "preflight", row), list);
}

static size_t count_of(const struct value *list)
{
        return value_is(list, VALUE_LIST) ? list->list.count : 0;
}

/* ---- the kernel ---- */

bool verification_matches(const char *pattern, const char *text)
{
        regex_t regex;

        if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
                return false;
        bool found = regexec(&regex, text, 0, NULL, 0) == 0;
        regfree(&regex);
        return found;
}

bool preflight_kernel_is_good(const struct phase *phase, const char *release)
{
        const struct value *patterns = value_map_get(era_value(phase->era, "preflight", "kernelReleases"), "patterns");
        bool good = false;

        for (size_t i = 0; i < count_of(patterns) && !good; i++)
                good = verification_matches(value_string(patterns->list.items[i], ""), release);
        return good;
}

static void check_release(struct verification *v, const char *release)
{
        struct template_variables variables CLEANUP_VARIABLES = {0};
        bool good = preflight_kernel_is_good(v->report->phase, release);
        const struct value *fails = wanted(v, "kernelReleases", "fails");

        verification_show(v, good ? VERIFICATION_GOOD : VERIFICATION_BAD, "KERNEL_VERSION", release);
        if (good)
                return;
        struct value *text CLEANUP_VALUE = value_copy(wanted(v, "kernelReleases", "text"));
        template_set_text(&variables, "release", release, NULL);
        (void)template_fill(text, &variables, NULL);
        if (value_is(fails, VALUE_BOOL) && fails->boolean) {
                verification_fail(v, "%s", value_string(text, ""));
        } else {
                preflight_warning(v->report, CHECK, "%s", value_string(text, ""));
        }
}

/* 0: text is the kernel's configuration; 1: there is none to be found. */
static int read_config(const char *release, struct buf *text)
{
        static const char *const places[] = {"/boot/config-%s",
                                             "/usr/src/linux-%s/.config",
                                             "/usr/src/linux/.config",
                                             "/usr/lib/modules/%s/config",
                                             "/usr/lib/ostree-boot/config-%s",
                                             "/usr/lib/kernel/config-%s",
                                             "/usr/src/linux-headers-%s/.config",
                                             "/lib/modules/%s/build/.config"};
        struct strv argv CLEANUP_STRV = STRV_INIT;

        if (file_exists("/proc/config.gz")) {
                strv_add(&argv, "gzip");
                strv_add(&argv, "-dc");
                strv_add(&argv, "/proc/config.gz");
                if (service_run(&argv, text, false, NULL) == 0 && text->len > 0)
                        return 0;
                buf_clear(text);
        }
        for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
                const char *hole = strstr(places[i], "%s");
                char *path CLEANUP_FREE =
                        hole ? xasprintf("%.*s%s%s", (int)(hole - places[i]), places[i], release, hole + 2)
                             : xstrdup(places[i]);
                if (file_exists(path) && file_read(path, text, NULL) == 0)
                        return 0;
                buf_clear(text);
        }
        return 1;
}

/* How an option is set: 'y', 'm' or 'n'; 0: it is not. The last line of it counts. */
static char option_of(const char *config, const char *name)
{
        size_t len = strlen(name);
        char found = 0;

        for (const char *line = config; line; line = (line = strchr(line, '\n')) ? line + 1 : NULL) {
                const char *s = line + strspn(line, " \t");
                if (strncmp(s, name, len) == 0 && s[len] == '=' && s[len + 1] && strchr("ymn", s[len + 1]))
                        found = s[len + 1];
        }
        return found;
}

/* item: NAME, then perhaps |ALIAS, then perhaps " - " and what it is for. True: it is set. */
static bool check_option(struct verification *v, const char *config, const char *item, bool required, char **ret_name)
{
        const char *what = strstr(item, " - ");
        char *names CLEANUP_FREE = xstrndup(item, what ? (size_t)(what - item) : strlen(item));
        struct strv all CLEANUP_STRV = STRV_INIT;
        char *name = NULL, set = 0;

        strv_split(&all, names, '|');
        for (size_t i = 0; i < all.len && !set; i++) {
                free(name);
                name = xasprintf("CONFIG_%s", all.items[i]);
                set = option_of(config, name);
        }
        bool good = set == 'y' || set == 'm';
        const char *state = set == 'y' ? "enabled" : set == 'm' ? "enabled (as module)" : set ? "disabled" : "not set";
        char *text CLEANUP_FREE = xasprintf("%s%s", state, !good && what ? what : "");
        verification_show(v, good ? VERIFICATION_GOOD : required ? VERIFICATION_BAD : VERIFICATION_WARN, name, text);
        *ret_name = name;
        return good;
}

static void check_options(struct verification *v, const char *config, const char *list, bool required,
                          struct strv *missing)
{
        const struct value *items = wanted(v, "kernelOptions", list);

        for (size_t i = 0; i < count_of(items); i++) {
                char *name CLEANUP_FREE = NULL;
                if (!check_option(v, config, value_string(items->list.items[i], ""), required, &name) && required)
                        strv_add(missing, name);
        }
}

static void check_config(struct verification *v, const char *release, bool unified)
{
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);
        struct strv missing CLEANUP_STRV = STRV_INIT;

        if (read_config(release, &text) > 0) {
                verification_fail(v,
                                  "failed to parse kernel config: no config path in [/proc/config.gz /boot/config-%s "
                                  "...] is available%s",
                                  release, file_exists("/proc/config.gz") ? " (gzip is not in PATH)" : "");
                return;
        }
        check_options(v, buf_str(&text), "required", true, &missing);
        check_options(v, buf_str(&text), unified ? "cgroupsV2" : "cgroupsV1", true, &missing);
        check_options(v, buf_str(&text), "optional", false, &missing);
        char *names CLEANUP_FREE = strv_join(&missing, " ");
        if (missing.len > 0)
                verification_fail(v, "unexpected kernel config: %s", names);
}

/* ---- control groups ---- */

/* getUnifiedMountpoint: whether it is the second version, from what is mounted. */
static bool is_unified(void)
{
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);
        struct strv lines CLEANUP_STRV = STRV_INIT;
        bool second = false;

        if (file_read(MOUNTS, &text, NULL) < 0)
                return false;
        strv_split(&lines, buf_str(&text), '\n');
        for (size_t i = 0; i < lines.len; i++) {
                struct strv fields CLEANUP_STRV = STRV_INIT;
                strv_split(&fields, lines.items[i], ' ');
                if (fields.len < 3 || !strstr(lines.items[i], "cgroup"))
                        continue;
                bool root = str_eq(fields.items[1], CGROUP_ROOT), new = str_eq(fields.items[2], "cgroup2");
                if (root && str_eq(fields.items[2], "tmpfs"))
                        return !file_exists(CGROUP_ROOT "/memory");
                if (root)
                        return new;
                second |= new;
        }
        return second;
}

/* Controllers of the first version: those of /proc/cgroups that are on. */
static int first_controllers(struct strv *ret, struct err *err)
{
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_FINDING_BYTES);
        struct strv lines CLEANUP_STRV = STRV_INIT;
        int r = file_read("/proc/cgroups", &text, err);

        if (r < 0)
                return r;
        strv_split(&lines, buf_str(&text), '\n');
        for (size_t i = 0; i < lines.len; i++) {
                char name[64], on[16];
                if (lines.items[i][0] != '#' && sscanf(lines.items[i], "%63s %*s %*s %15s", name, on) == 2 &&
                    !str_eq(on, "0"))
                        strv_add(ret, name);
        }
        return 0;
}

/* Of the second: the kernel has devices always, and freezer where groups have a file for it (kubeadm makes a group to
 * see; those that are there say the same). */
static int second_controllers(struct strv *ret, struct err *err)
{
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_FINDING_BYTES);
        glob_t found;

        strv_add(ret, "devices");
        if (file_exists(CGROUP_ROOT "/cgroup.freeze")) {
                strv_add(ret, "freezer");
        } else if (glob(CGROUP_ROOT "/*/cgroup.freeze", GLOB_NOSORT, NULL, &found) == 0) {
                strv_add(ret, "freezer");
                globfree(&found);
        }
        int r = file_read(CGROUP_ROOT "/cgroup.controllers", &text, err);
        if (r < 0)
                return r;
        char *line CLEANUP_FREE = xstrndup(buf_str(&text), strcspn(buf_str(&text), "\n"));
        strv_split(ret, line, ' ');
        return 0;
}

/* validateCgroupSubsystems: the missing ones of a list, joined; NULL: none. Free it. */
static char *missing_groups(struct verification *v, const char *list, const struct strv *have,
                            enum verification_result missing)
{
        const struct value *names = wanted(v, "cgroups", list);
        struct strv all CLEANUP_STRV = STRV_INIT;

        for (size_t i = 0; i < count_of(names); i++) {
                const char *name = value_string(names->list.items[i], "");
                char *key CLEANUP_FREE = xasprintf("CGROUPS_%s", name);
                bool there = strv_contains(have, name);

                for (char *c = key; *c; c++)
                        *c = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
                verification_show(v, there ? VERIFICATION_GOOD : missing, key, there ? "enabled" : "missing");
                if (!there)
                        strv_add(&all, name);
        }
        return all.len > 0 ? strv_join(&all, " ") : NULL;
}

/* fails: the kubelet does not run on the first version any more. */
static void check_cgroups(struct verification *v, bool unified, bool fails)
{
        const char *told = unified ? "" : era_text(v->report->phase->era, "preflight", "cgroupsV1Text", "");
        struct strv have CLEANUP_STRV = STRV_INIT;
        struct err why = ERR_INIT;

        if (*told && !fails)
                preflight_warning(v->report, CHECK, "%s", told);
        if ((unified ? second_controllers(&have, &why) : first_controllers(&have, &why)) < 0) {
                verification_fail(v, "failed to get cgroups %s subsystems: %s", unified ? "v2" : "v1", why.msg);
                return;
        }
        char *required CLEANUP_FREE = missing_groups(v, unified ? "v2" : "v1", &have, VERIFICATION_BAD);
        char *optional CLEANUP_FREE =
                missing_groups(v, unified ? "v2Optional" : "v1Optional", &have, VERIFICATION_WARN);
        /* What is missing takes the place of the other error. */
        if (required)
                verification_fail(v, "missing required cgroups: %s", required);
        else if (*told && fails)
                verification_fail(v, "%s", told);
        if (optional)
                preflight_warning(v->report, CHECK, "missing optional cgroups: %s", optional);
}

void preflight_verify_system(struct preflight_report *report, bool docker, bool cgroups_v1_fail)
{
        struct verification v = {.report = report, .table = BUF_INIT(TABLE_MAX)};
        struct utsname name;
        bool unified = is_unified();

        if (uname(&name) < 0) {
                preflight_error(report, CHECK, "failed to get kernel release: %s", strerrordesc_np(errno));
                return;
        }
        check_release(&v, name.release);
        check_config(&v, name.release, unified);
        if (docker)
                verification_check_docker(&v);
        verification_show(&v, VERIFICATION_GOOD, "OS", name.sysname);
        check_cgroups(&v, unified, cgroups_v1_fail);
        if (v.failed)
                phase_say(report->phase,
                          "[preflight] The system verification failed. Printing the output from the "
                          "verification:\n%.*s",
                          (int)(v.table.len > 0 ? v.table.len - 1 : 0), buf_str(&v.table));
        buf_release(&v.table);
}

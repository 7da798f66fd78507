/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "phase/action.h"
#include "phase/phase.h"
#include "phase/service.h"

extern char **environ;

enum init { INIT_NONE, INIT_SYSTEMD, INIT_OPENRC };

char *service_look_path(const char *program)
{
        struct strv dirs CLEANUP_STRV = STRV_INIT;
        const char *path = getenv("PATH");
        struct stat st;
        char *dir;

        if (!path)
                return NULL;
        strv_split(&dirs, path, ':');
        STRV_FOREACH (dir, &dirs) {
                char *file CLEANUP_FREE = file_join(*dir ? dir : ".", program);
                if (stat(file, &st) == 0 && S_ISREG(st.st_mode) && access(file, X_OK) == 0)
                        return TAKE_PTR(file);
        }
        return NULL;
}

static bool in_path(const char *program)
{
        char *file CLEANUP_FREE = service_look_path(program);

        return file != NULL;
}

static enum init init_system(const struct phase *phase)
{
        if (!str_empty(phase_host_root(phase)))
                return INIT_NONE;
        if (in_path("systemctl"))
                return INIT_SYSTEMD;
        return in_path("openrc") && in_path("rc-service") && in_path("rc-update") ? INIT_OPENRC : INIT_NONE;
}

bool service_init_system(const struct phase *phase)
{
        return init_system(phase) != INIT_NONE;
}

static int spawn(const struct strv *argv, int out, int errors, pid_t *ret, struct err *err)
{
        posix_spawn_file_actions_t actions;
        int r = posix_spawn_file_actions_init(&actions);

        if (r == 0)
                r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        if (r == 0)
                r = out >= 0 ? posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO)
                             : posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
        if (r == 0)
                r = errors >= 0 ? posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO)
                                : posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
        if (r == 0)
                r = posix_spawnp(ret, argv->items[0], &actions, NULL, argv->items, environ);
        (void)posix_spawn_file_actions_destroy(&actions);
        return r == 0 ? 0 : err_set_errno(err, r, "cannot run %s", argv->items[0]);
}

static void read_all(int fd, struct buf *out)
{
        char chunk[4096];

        for (;;) {
                ssize_t n = read(fd, chunk, sizeof(chunk));
                if (n > 0)
                        buf_add(out, chunk, (size_t)n);
                else if (n == 0 || errno != EINTR)
                        return;
        }
}

/* errors: where standard error goes, -1 with the output, -2 nowhere. */
static int run(const struct strv *argv, struct buf *out, int errors, struct err *err)
{
        int ends[2] = {-1, -1}, status;
        pid_t pid;

        if (out && pipe2(ends, O_CLOEXEC) < 0)
                return err_set_errno(err, errno, "cannot run %s", argv->items[0]);
        int r = spawn(argv, ends[1], errors == -1 ? ends[1] : errors, &pid, err);
        if (ends[1] >= 0)
                (void)close(ends[1]);
        if (r == 0 && out)
                read_all(ends[0], out);
        if (ends[0] >= 0)
                (void)close(ends[0]);
        if (r < 0)
                return r;
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return err_set_errno(err, errno, "cannot wait for %s", argv->items[0]);
        if (!WIFEXITED(status))
                return err_set(err, EIO, "signal: %s", strsignal(WTERMSIG(status)));
        return WEXITSTATUS(status);
}

int service_run(const struct strv *argv, struct buf *out, bool errors, struct err *err)
{
        return run(argv, out, errors ? -1 : -2, err);
}

int service_run_apart(const struct strv *argv, struct buf *out, struct buf *errors, struct err *err)
{
        int fd = memfd_create("errors", MFD_CLOEXEC);

        if (fd < 0)
                return err_set_errno(err, errno, "cannot run %s", argv->items[0]);
        int r = run(argv, out, fd, err);
        if (lseek(fd, 0, SEEK_SET) == 0)
                read_all(fd, errors);
        (void)close(fd);
        return r;
}

/* The words of a command; NAME stands for the service. */
static int run_words(const char *words, const char *name, struct buf *out, struct err *err)
{
        struct strv argv CLEANUP_STRV = STRV_INIT, parts CLEANUP_STRV = STRV_INIT;
        char *part;

        strv_split(&parts, words, ' ');
        STRV_FOREACH (part, &parts)
                strv_add(&argv, str_eq(part, "NAME") ? name : part);
        return service_run(&argv, out, str_starts(words, "rc-"), err);
}

bool service_exists(const struct phase *phase, const char *name)
{
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);
        bool systemd = init_system(phase) == INIT_SYSTEMD;

        (void)run_words(systemd ? "systemctl status NAME" : "rc-service NAME status", name, &out, NULL);
        if (!systemd)
                return !strstr(buf_str(&out), "does not exist");
        return !strstr(buf_str(&out), "Loaded: not-found") && !strstr(buf_str(&out), "could not be found");
}

bool service_is_enabled(const struct phase *phase, const char *name)
{
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);

        if (init_system(phase) == INIT_SYSTEMD)
                return run_words("systemctl is-enabled NAME", name, NULL, NULL) == 0;
        (void)run_words("rc-update show default", name, &out, NULL);
        return strstr(buf_str(&out), name) != NULL;
}

bool service_is_active(const struct phase *phase, const char *name)
{
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);

        switch (init_system(phase)) {
        case INIT_SYSTEMD:
                (void)run_words("systemctl is-active NAME", name, &out, NULL);
                return str_eq(buf_str(&out), "active\n") || str_eq(buf_str(&out), "activating\n");
        case INIT_OPENRC:
                (void)run_words("rc-service NAME status", name, &out, NULL);
                return !strstr(buf_str(&out), "stopped") && !strstr(buf_str(&out), "does not exist");
        case INIT_NONE:
                break;
        }
        return false;
}

char *service_enable_command(const struct phase *phase, const char *name)
{
        return init_system(phase) == INIT_OPENRC ? xasprintf("rc-update add %s default", name)
                                                 : xasprintf("systemctl enable %s.service", name);
}

int service_tell(const struct phase *phase, enum service_action action, const char *name, struct err *err)
{
        static const char *const names[SERVICE_ACTION_MAX] = {"stop", "restart"};
        struct value *line = action_new(phase, names[action]);

        action_set(line, "service", name);
        return action_tell(phase, line, err);
}

int service_act(const struct phase *phase, enum service_action action, const char *name, struct err *err)
{
        static const char *const systemd[SERVICE_ACTION_MAX] = {"systemctl stop NAME", "systemctl restart NAME"};
        static const char *const openrc[SERVICE_ACTION_MAX] = {"rc-service NAME stop", "rc-service NAME restart"};
        bool is_systemd = init_system(phase) == INIT_SYSTEMD;
        int r = 0;

        if (phase->options.dry_run)
                return service_tell(phase, action, name, err);
        if (is_systemd && action == SERVICE_RESTART) {
                r = run_words("systemctl daemon-reload", name, NULL, err);
                if (r > 0)
                        (void)err_set(err, EIO, "exit status %d", r);
                if (r != 0) {
                        (void)err_wrap(err, "failed to reload systemd");
                        return r > 0 ? -EIO : r;
                }
        }
        r = run_words(is_systemd ? systemd[action] : openrc[action], name, NULL, err);
        if (r > 0)
                return err_set(err, EIO, "exit status %d", r);
        return r < 0 ? r : service_tell(phase, action, name, err);
}

void service_tell_absent(const struct phase *phase, enum service_absence absence, enum service_action action)
{
        static const char *const texts[SERVICE_ABSENCE_MAX] = {
                [SERVICE_NO_INIT_SYSTEM] = "o supported init system detected, won't make sure the kubelet",
                [SERVICE_NO_KUBELET] = "ouldn't detect a kubelet service, can't make sure the kubelet",
        };
        static const char initials[SERVICE_ABSENCE_MAX] = {'n', 'c'};
        bool small = era_flag(phase->era, "messages", "kubeletStartSmall");

        phase_say(phase, "[kubelet-start] %c%s %s", small ? initials[absence] : initials[absence] - 'a' + 'A',
                  texts[absence],
                  action == SERVICE_STOP
                          ? "not running for a short period of time while setting up configuration for it."
                          : "is running properly.");
}

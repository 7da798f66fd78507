/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/str.h"
#include "node/node_lock.h"

#define RUN_DIRECTORY_MODE 0755
#define LOCK_MODE 0600
#define COMMAND_LINE_MAX (128 * 1024)

struct node_lock {
        int fd;
};

static bool same_network(const char *proc, const char *pid)
{
        char *theirs CLEANUP_FREE = xasprintf("%s/%s/ns/net", proc, pid);
        char *ours CLEANUP_FREE = xasprintf("%s/self/ns/net", proc);
        struct stat a, b;

        /* A process that has ended has no namespaces. What cannot be looked at is taken for ours: better refuse than
         * run two. */
        if (stat(theirs, &a) < 0)
                return errno != ENOENT && errno != ESRCH;
        if (stat(ours, &b) < 0)
                return true;
        return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* A process with its name and a command line: one that has ended, and waits for its parent to hear of it, has none.
 * Preflight checks ask a kubelet for its version, which runs no pods. */
static bool is_kubelet(const char *proc, const char *pid)
{
        struct buf comm CLEANUP_BUF = BUF_INIT(256), line CLEANUP_BUF = BUF_INIT(COMMAND_LINE_MAX);
        char *comm_path CLEANUP_FREE = xasprintf("%s/%s/comm", proc, pid);
        char *line_path CLEANUP_FREE = xasprintf("%s/%s/cmdline", proc, pid);

        if (file_read(comm_path, &comm, NULL) < 0 || !str_eq(buf_str(&comm), "kubelet\n"))
                return false;
        if (file_read(line_path, &line, NULL) < 0)
                return true; /* better refuse than run two */
        for (const char *word = buf_str(&line); word < buf_str(&line) + line.len; word += strlen(word) + 1)
                if (str_eq(word, "--version"))
                        return false;
        return line.len > 0;
}

int node_lock_find_kubelet(const char *proc)
{
        DIR *stream = opendir(proc);
        int found = 0;

        if (!stream)
                return 0;
        for (struct dirent *e; !found && (e = readdir(stream));) {
                int pid;

                /* Of one that ends meanwhile the kernel does not tell the namespace, so it is looked at again. */
                if (str_to_int(e->d_name, 1, 1 << 30, &pid) == 0 && is_kubelet(proc, e->d_name) &&
                    same_network(proc, e->d_name) && is_kubelet(proc, e->d_name))
                        found = pid;
        }
        (void)closedir(stream);
        return found;
}

static void read_owner(int fd, char *ret_text, size_t size)
{
        ssize_t n = pread(fd, ret_text, size - 1, 0);

        ret_text[n > 0 ? n : 0] = '\0';
}

int node_lock_new(const char *run_dir, struct node_lock **ret, struct err *err)
{
        char *path CLEANUP_FREE = file_join(run_dir, "podwatch.lock");
        int fd CLEANUP_FD = -1;
        char text[32];
        int kubelet, r;

        kubelet = node_lock_find_kubelet("/proc");
        if (kubelet)
                return err_set(err, ERR_CONFLICT,
                               "a kubelet runs on this node (process %d) and would run the same pods: stop it first "
                               "(systemctl disable --now kubelet)",
                               kubelet);
        r = file_mkdir_p(run_dir, RUN_DIRECTORY_MODE, err);
        if (r < 0)
                return r;
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, LOCK_MODE);
        if (fd < 0)
                return err_set_errno(err, errno, "opening %s", path);
        if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
                if (errno != EWOULDBLOCK)
                        return err_set_errno(err, errno, "locking %s", path);
                read_owner(fd, text, sizeof(text));
                return err_set(err, ERR_CONFLICT, "podwatch runs already on this node (process %s, %s)",
                               *text ? text : "?", path);
        }
        (void)snprintf(text, sizeof(text), "%d", (int)getpid());
        if (ftruncate(fd, 0) < 0 || pwrite(fd, text, strlen(text), 0) < 0)
                return err_set_errno(err, errno, "writing %s", path);
        *ret = xcalloc(1, sizeof(**ret));
        (*ret)->fd = TAKE_FD(fd);
        return 0;
}

struct node_lock *node_lock_free(struct node_lock *lock)
{
        if (!lock)
                return NULL;
        (void)fd_close(lock->fd);
        free(lock);
        return NULL;
}

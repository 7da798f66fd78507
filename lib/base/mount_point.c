/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/mount_point.h"
#include "base/str.h"

/* /proc/self/fdinfo/N: some lines, more of them for descriptors of other kinds. */
#define FDINFO_MAX 4096
#define MOUNT_ID_MAX 24

/* The number of the mount that an open file is on, as text. */
static int mount_id(int fd, char ret[MOUNT_ID_MAX], struct err *err)
{
        struct buf text CLEANUP_BUF = BUF_INIT(FDINFO_MAX);
        char path[64];
        const char *line;
        int r;

        (void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
        r = file_read(path, &text, err);
        if (r < 0)
                return r;
        line = strstr(buf_str(&text), "mnt_id:");
        if (!line)
                return err_set(err, ERR_UNSUPPORTED, "%s does not say mnt_id", path);
        line += strlen("mnt_id:");
        line += strspn(line, " \t");
        (void)snprintf(ret, MOUNT_ID_MAX, "%.*s", (int)strcspn(line, "\n"), line);
        return 0;
}

int mount_point_by_id(const char *path, struct err *err)
{
        int fd CLEANUP_FD = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        int up CLEANUP_FD = -1;
        struct stat st;
        char id[MOUNT_ID_MAX], id_up[MOUNT_ID_MAX];
        int r;

        if (fd < 0 || fstat(fd, &st) < 0)
                return err_set_errno(err, errno, "looking at %s", path);
        if (S_ISDIR(st.st_mode)) {
                up = openat(fd, "..", O_PATH | O_CLOEXEC);
        } else {
                char *parent CLEANUP_FREE = file_dirname(path);

                up = open(parent, O_PATH | O_CLOEXEC);
        }
        if (up < 0)
                return err_set_errno(err, errno, "looking at the directory of %s", path);
        r = mount_id(fd, id, err);
        if (r >= 0)
                r = mount_id(up, id_up, err);
        return r < 0 ? r : !str_eq(id, id_up);
}

int mount_point_at(const char *path, struct err *err)
{
        struct statx stx;

        if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, 0, &stx) < 0)
                return err_set_errno(err, errno, "looking at %s", path);
        if (stx.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT)
                return !!(stx.stx_attributes & STATX_ATTR_MOUNT_ROOT);
        return mount_point_by_id(path, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sys/mman.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/fd.h"
#include "docker/image_tar.h"
#include "docker/pause_image.h"

int pause_image_make(const char *ref, int *ret_fd, uint64_t *ret_size, struct err *err)
{
        struct image_files files = {0};
        struct image_config config = {.user = "65535:65535"}; /* as registry.k8s.io/pause has it */
        int fd CLEANUP_FD = memfd_create("pause image", MFD_CLOEXEC);

        if (fd < 0)
                return err_set_errno(err, errno, "pause image: cannot make a memory file");
        strv_add(&config.names, ref);
        strv_add(&config.entrypoint, "/pause");
        strv_add(&config.env, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        (void)image_files_add_data(&files, "pause", pause_binary, pause_binary_size, 0755);
        int r = image_tar_write(&config, &files, fd, ret_size, NULL, err);
        image_files_release(&files);
        image_config_release(&config);
        if (r < 0)
                return err_wrap(err, "pause image");
        *ret_fd = TAKE_FD(fd);
        return 0;
}

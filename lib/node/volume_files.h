#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * A volume that is a set of files, replaced as a whole: the files stand in a directory of their own beside the volume's
 * names, which are links by way of `..data`, and one rename makes a new set visible (pkg/volume/util/atomic_writer.go).
 *
 *      <volume>/..2024_05_01_12_00_00.123456789/name
 *      <volume>/..data -> ..2024_05_01_12_00_00.123456789
 *      <volume>/name -> ..data/name
 */
#include <stddef.h>
#include <sys/types.h>

struct err;
struct host;
struct pod;
struct pod_volume;

struct volume_file {
        const char *path; /* relative, without ".."; may have directories */
        const void *data;
        size_t len;
        mode_t mode;
};

/* Makes `directory` (which exists) show these files and no others; where it does already, nothing is changed. gid: the
 * group that may read them as well, (gid_t)-1 without. Readers see the old set or the new one. */
int volume_files_write(const char *directory, const struct volume_file *files, size_t count, gid_t gid,
                       struct err *err);

/* The files of a downwardAPI, projected, configMap or secret volume. */
int volume_files_of_pod(const struct host *host, const struct pod *pod, const struct pod_volume *volume,
                        const char *directory, gid_t gid, struct err *err);
/* Whether all that they are made of is there; the errors of volume_files_of_pod. */
int volume_files_check(const struct host *host, const struct pod *pod, const struct pod_volume *volume,
                       struct err *err);

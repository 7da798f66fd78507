#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * A pod's directories and volumes on the host, where the kubelet has them and other tools look for them:
 *
 *      <root>/pods/<uid>/volumes/kubernetes.io~empty-dir/<volume>
 *      <root>/pods/<uid>/volume-subpaths/<volume>/<container>/<index>
 *      <root>/pods/<uid>/containers/<container>/<8 hex>     termination message
 *      <root>/pods/<uid>/etc-hosts
 *      <root>/pods/.trash                                   directories of pods that are gone (trash.h)
 *
 * dockerd must see what is mounted here, so podwatch runs in its mount namespace. Everything may be called again: what
 * is there already is left as it is.
 */
#include <stdbool.h>
#include <stddef.h>

struct err;
struct host;
struct pod;
struct pod_container;
struct pod_volume;
struct spec_mount;

/* Directories, emptyDirs, hostPath checks and the first version of the hosts file. Errors: FailedMount. */
int volume_setup(const struct host *host, const struct pod *pod, struct err *err);

/* Whether volume_setup can make them, as far as it shows without touching the pod's directory, which another version of
 * the pod uses: hostPaths are checked and made, what files are made of is looked up. Errors: FailedMount. */
int volume_check(const struct host *host, const struct pod *pod, struct err *err);

/* Volumes of ConfigMaps and Secrets as these are now; containers see it at once. */
int volume_refresh(const struct host *host, const struct pod *pod, struct err *err);

/* Writes the pod's hosts file again, now that its address is known. */
int volume_write_hosts(const struct host *host, const struct pod *pod, const char *ip, struct err *err);

/* Everything that is bind-mounted into one container: its volume mounts with their subPaths prepared, the hosts file
 * unless a mount covers /etc/hosts, the termination message file (made new for this attempt). */
struct volume_mounts {
        struct spec_mount *items;
        size_t count;
        char **owned; /* strings that items point to */
        size_t owned_count;
};
int volume_mounts(const struct host *host, const struct pod *pod, const struct pod_container *container,
                  unsigned attempt, const char *pod_ip, struct volume_mounts *ret, struct err *err);
void volume_mounts_release(struct volume_mounts *mounts);
#define CLEANUP_VOLUME_MOUNTS __attribute__((cleanup(volume_mounts_release)))

/* Unmounts what is below a pod's directory and puts it into the trash, where trash_empty removes it: the caller's part.
 * What cannot be put there is removed at once. A missing directory is fine. */
int volume_cleanup(const struct host *host, const char *uid, struct err *err);

/* Paths; free them. */
char *volume_pod_directory(const struct host *host, const char *uid);
char *volume_trash_directory(const struct host *host);
char *volume_path(const struct host *host, const struct pod *pod, const struct pod_volume *volume);
char *volume_message_path(const struct host *host, const struct pod *pod, const char *container, unsigned attempt);

/* What a container left in its termination message file, at most max bytes; "" where there is none. Free it. */
char *volume_read_message(const struct host *host, const struct pod *pod, const char *container, unsigned attempt,
                          size_t max);

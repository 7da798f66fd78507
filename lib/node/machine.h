#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What is true of this machine: identity, size, and what is scarce right now. Read from /proc, /sys and /etc; whatever
 * cannot be read is empty or 0.
 */
#include <stdbool.h>
#include <stdint.h>

struct machine {
        char *machine_id, *system_uuid, *boot_id, *kernel_version, *os_image;
        char *architecture; /* Go's name: amd64, arm64 */
        char *hostname;
        int64_t cpus, memory_bytes;
};

void machine_read(struct machine *ret);
void machine_release(struct machine *machine);

/* The address others reach this machine by: of the interface with the default route, else of the first interface that
 * is up, IPv4 before IPv6, neither loopback nor link-local. ret_text "" where there is none. */
#define MACHINE_ADDRESS_MAX 64
void machine_address(char ret_text[MACHINE_ADDRESS_MAX]);

struct machine_load {
        int64_t memory_available_bytes; /* MemAvailable */
        int64_t memory_bytes, memory_free_bytes, memory_inactive_file_bytes;
        int64_t disk_bytes, disk_available_bytes, disk_free_bytes; /* of the file system of a path; free: for root */
        int64_t inodes, inodes_free;
        int64_t pids, pids_max;
};
void machine_load_read(const char *path, struct machine_load *ret);

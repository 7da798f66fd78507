#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What a program file says about itself: for which machine it is, and whether it needs a dynamic linker; and what that
 * linker would load for it. Used to put programs of this machine into images.
 */
#include <stddef.h>

#include "base/strv.h"

struct err;

struct elf_file {
        const char *architecture; /* Go's name: "amd64", "arm64", ...; "" where it has none here */
        char *interpreter;        /* path of the dynamic linker; NULL: the program is static (or a library) */
};

/* Reads the headers alone. -ENOEXEC with a message where it is no ELF file of this machine's word size and byte order,
 * or a broken one. */
int elf_file_read(const char *path, struct elf_file *ret, struct err *err);
/* The same for bytes in memory: the head of the file, at most ELF_FILE_HEAD of them. */
#define ELF_FILE_HEAD (64 * 1024)
int elf_file_parse(const char *name, const void *data, size_t len, struct elf_file *ret, struct err *err);
void elf_file_release(struct elf_file *file);

/* Adds the paths of the libraries that `interpreter` would load for path, itself among them, which are not in the list
 * yet. It is asked (--list), so that its cache and configuration count; nothing of the file is run. */
int elf_libraries(const char *path, const char *interpreter, struct strv *libraries, struct err *err);
/* One line of its answer: the path in it (free it), or NULL where there is none. "\tlibmnl.so.0 => /lib/libmnl.so.0
 * (0x7f...)". */
char *elf_libraries_line(const char *line);

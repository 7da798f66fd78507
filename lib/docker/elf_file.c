/* SPDX-License-Identifier: Apache-2.0 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/str.h"
#include "docker/elf_file.h"

#define LIST_MAX (256 * 1024) /* what the dynamic linker says of one file: some lines of 100 characters */

static const struct {
        unsigned machine;
        const char *architecture;
} machines[] = {
        {EM_X86_64, "amd64"}, {EM_AARCH64, "arm64"}, {EM_PPC64, "ppc64le"}, {EM_S390, "s390x"}, {EM_RISCV, "riscv64"},
};

static int find_interpreter(const char *name, const char *data, size_t len, const Elf64_Phdr *ph, char **ret,
                            struct err *err)
{
        if (ph->p_offset > len || ph->p_filesz > len - ph->p_offset || ph->p_filesz < 2 ||
            data[ph->p_offset + ph->p_filesz - 1] != '\0')
                return err_set(err, ENOEXEC, "%s: the name of its dynamic linker is broken", name);
        *ret = xstrdup(data + ph->p_offset);
        return 0;
}

int elf_file_parse(const char *name, const void *data, size_t len, struct elf_file *ret, struct err *err)
{
        Elf64_Ehdr eh;
        const unsigned char native = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;

        if (len < sizeof(eh) || memcmp(data, ELFMAG, SELFMAG) != 0)
                return err_set(err, ENOEXEC, "%s: not an ELF program", name);
        memcpy(&eh, data, sizeof(eh));
        if (eh.e_ident[EI_CLASS] != ELFCLASS64 || eh.e_ident[EI_DATA] != native)
                return err_set(err, ENOEXEC, "%s: an ELF program for another kind of machine", name);
        if (eh.e_phentsize != sizeof(Elf64_Phdr) || eh.e_phoff > len ||
            eh.e_phnum > (len - eh.e_phoff) / sizeof(Elf64_Phdr))
                return err_set(err, ENOEXEC, "%s: its ELF program headers are broken", name);
        struct elf_file file = {.architecture = ""};
        for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
                if (machines[i].machine == eh.e_machine)
                        file.architecture = machines[i].architecture;
        for (size_t i = 0; i < eh.e_phnum && !file.interpreter; i++) {
                Elf64_Phdr ph;
                memcpy(&ph, (const char *)data + eh.e_phoff + i * sizeof(ph), sizeof(ph));
                if (ph.p_type != PT_INTERP)
                        continue;
                int r = find_interpreter(name, data, len, &ph, &file.interpreter, err);
                if (r < 0)
                        return r;
        }
        *ret = file;
        return 0;
}

int elf_file_read(const char *path, struct elf_file *ret, struct err *err)
{
        char *head CLEANUP_FREE = xmalloc(ELF_FILE_HEAD);
        size_t len = 0;
        int fd CLEANUP_FD = open(path, O_RDONLY | O_CLOEXEC);

        if (fd < 0)
                return err_set_errno(err, errno, "%s", path);
        while (len < ELF_FILE_HEAD) {
                ssize_t n = read(fd, head + len, ELF_FILE_HEAD - len);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return err_set_errno(err, errno, "%s", path);
                if (n == 0)
                        break;
                len += (size_t)n;
        }
        return elf_file_parse(path, head, len, ret, err);
}

void elf_file_release(struct elf_file *file)
{
        free(file->interpreter);
        *file = (struct elf_file){0};
}

/* ---- libraries ---- */

char *elf_libraries_line(const char *line)
{
        while (*line == ' ' || *line == '\t')
                line++;
        const char *arrow = strstr(line, " => ");
        const char *path = arrow ? arrow + 4 : line;
        const char *end = strstr(path, " (0x");
        return path[0] == '/' && end ? xstrndup(path, (size_t)(end - path)) : NULL;
}

static int list_output(const char *path, const char *interpreter, struct buf *out, struct err *err)
{
        char *const argv[] = {(char *)interpreter, (char *)"--list", (char *)path, NULL};
        char *const envp[] = {(char *)"LC_ALL=C", NULL};
        posix_spawn_file_actions_t actions;
        int fds[2], status;
        pid_t pid;

        if (pipe2(fds, O_CLOEXEC) < 0)
                return err_set_errno(err, errno, "%s", path);
        int from CLEANUP_FD = fds[0], to CLEANUP_FD = fds[1];
        if (posix_spawn_file_actions_init(&actions) != 0)
                return err_set_errno(err, ENOMEM, "%s", path);
        int r = posix_spawn_file_actions_adddup2(&actions, to, STDOUT_FILENO);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(&actions, to, STDERR_FILENO);
        if (r == 0)
                r = posix_spawn(&pid, interpreter, &actions, NULL, argv, envp);
        (void)posix_spawn_file_actions_destroy(&actions);
        if (r != 0)
                return err_set_errno(err, r, "%s: cannot run its dynamic linker %s", path, interpreter);
        to = fd_close(to);
        for (;;) {
                char chunk[4096];
                ssize_t n = read(from, chunk, sizeof(chunk));
                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        break;
                buf_add(out, chunk, (size_t)n);
        }
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
                return err_set(err, ENOEXEC, "%s: %s --list: %.*s", path, interpreter, (int)strcspn(buf_str(out), "\n"),
                               buf_str(out));
        return buf_check(out, "list of libraries", err);
}

int elf_libraries(const char *path, const char *interpreter, struct strv *libraries, struct err *err)
{
        struct buf out CLEANUP_BUF = BUF_INIT(LIST_MAX);
        struct strv lines CLEANUP_STRV = STRV_INIT;
        const char *line;
        int r = list_output(path, interpreter, &out, err);

        if (r < 0)
                return r;
        strv_split(&lines, buf_str(&out), '\n');
        STRV_FOREACH (line, &lines) {
                if (strstr(line, " => not found"))
                        return err_set(err, ENOENT, "%s: a library that it needs is not there: %s", path,
                                       line + strspn(line, " \t"));
                char *found CLEANUP_FREE = elf_libraries_line(line);
                if (found && !strv_contains(libraries, found))
                        strv_add(libraries, found);
        }
        if (!strv_contains(libraries, interpreter))
                strv_add(libraries, interpreter);
        return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <elf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "docker/elf_file.h"
#include "docker/image_tar.h"
#include "docker/pause_image.h"

static void test_programs(void **state)
{
        (void)state;
        struct elf_file elf;
        struct err err = ERR_INIT;
        assert_int_equal(elf_file_read("/proc/self/exe", &elf, &err), 0);
        assert_string_equal(elf.architecture, image_architecture());
        assert_non_null(elf.interpreter);
        assert_true(str_starts(elf.interpreter, "/lib"));
        elf_file_release(&elf);
        assert_int_equal(elf_file_parse("pause", pause_binary, pause_binary_size, &elf, &err), 0);
        assert_null(elf.interpreter); /* static */
        elf_file_release(&elf);
        assert_int_equal(elf_file_read("/etc/passwd", &elf, &err), -ENOEXEC);
        assert_non_null(strstr(err.msg, "/etc/passwd: not an ELF program"));
        assert_int_equal(elf_file_read("/no/such", &elf, &err), -ENOENT);
}

/* Headers whose numbers lead outside. */
static void test_broken(void **state)
{
        (void)state;
        struct {
                Elf64_Ehdr eh;
                Elf64_Phdr ph;
                char name[16];
        } good = {
                .eh = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                       .e_machine = EM_X86_64,
                       .e_phoff = sizeof(Elf64_Ehdr),
                       .e_phentsize = sizeof(Elf64_Phdr),
                       .e_phnum = 1},
                .ph = {.p_type = PT_INTERP, .p_offset = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr), .p_filesz = 16},
                .name = "/lib/ld.so",
        };
        struct elf_file elf;
        struct err err = ERR_INIT;
        assert_int_equal(elf_file_parse("x", &good, sizeof(good), &elf, &err), 0);
        assert_string_equal(elf.interpreter, "/lib/ld.so");
        assert_string_equal(elf.architecture, "amd64");
        elf_file_release(&elf);
        for (size_t len = 0; len < sizeof(good); len++)
                assert_int_equal(elf_file_parse("x", &good, len, &elf, &err), -ENOEXEC);
        typeof(good) bad = good;
        bad.eh.e_phoff = UINT64_MAX;
        assert_int_equal(elf_file_parse("x", &bad, sizeof(bad), &elf, &err), -ENOEXEC);
        bad = good;
        bad.eh.e_phnum = 60000;
        assert_int_equal(elf_file_parse("x", &bad, sizeof(bad), &elf, &err), -ENOEXEC);
        bad = good;
        bad.ph.p_offset = UINT64_MAX - 4;
        assert_int_equal(elf_file_parse("x", &bad, sizeof(bad), &elf, &err), -ENOEXEC);
        bad = good;
        bad.ph.p_filesz = UINT64_MAX;
        assert_int_equal(elf_file_parse("x", &bad, sizeof(bad), &elf, &err), -ENOEXEC);
        bad = good;
        memset(bad.name, 'x', sizeof(bad.name)); /* no end */
        assert_int_equal(elf_file_parse("x", &bad, sizeof(bad), &elf, &err), -ENOEXEC);
        bad = good;
        bad.eh.e_ident[EI_CLASS] = ELFCLASS32;
        assert_int_equal(elf_file_parse("x", &bad, sizeof(bad), &elf, &err), -ENOEXEC);
        bad = good;
        bad.eh.e_machine = EM_MIPS;
        assert_int_equal(elf_file_parse("x", &bad, sizeof(bad), &elf, &err), 0);
        assert_string_equal(elf.architecture, "");
        elf_file_release(&elf);
}

static void test_lines(void **state)
{
        static const char *const cases[][2] = {
                {"\tlibmnl.so.0 => /lib/x86_64-linux-gnu/libmnl.so.0 (0x00007f9c08635000)",
                 "/lib/x86_64-linux-gnu/libmnl.so.0"},
                {"\t/lib64/ld-linux-x86-64.so.2 (0x00007f9c08705000)", "/lib64/ld-linux-x86-64.so.2"},
                {"\tlinux-vdso.so.1 (0x00007f9c08703000)", NULL},
                {"\tlibnone.so => not found", NULL},
                {"", NULL},
                {"\tstatically linked", NULL},
        };
        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char *path CLEANUP_FREE = elf_libraries_line(cases[i][0]);
                if (cases[i][1])
                        assert_string_equal(path, cases[i][1]);
                else
                        assert_null(path);
        }
}

static void test_libraries(void **state)
{
        (void)state;
        struct elf_file elf;
        struct err err = ERR_INIT;
        struct strv libraries CLEANUP_STRV = STRV_INIT;
        assert_int_equal(elf_file_read("/bin/sh", &elf, &err), 0);
        assert_int_equal(elf_libraries("/bin/sh", elf.interpreter, &libraries, &err), 0);
        bool libc = false;
        for (size_t i = 0; i < libraries.len; i++)
                libc |= strstr(libraries.items[i], "/libc.so.") != NULL;
        assert_true(libc);
        assert_true(strv_contains(&libraries, elf.interpreter));
        size_t count = libraries.len;
        assert_int_equal(elf_libraries("/bin/sh", elf.interpreter, &libraries, &err), 0);
        assert_int_equal(libraries.len, count); /* each once */
        assert_int_equal(elf_libraries("/etc/passwd", elf.interpreter, &libraries, &err), -ENOEXEC);
        assert_non_null(strstr(err.msg, "/etc/passwd"));
        assert_true(elf_libraries("/bin/sh", "/no/such/ld.so", &libraries, &err) < 0);
        assert_non_null(strstr(err.msg, "/no/such/ld.so"));
        elf_file_release(&elf);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_programs), cmocka_unit_test(test_broken),
                                           cmocka_unit_test(test_lines), cmocka_unit_test(test_libraries)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/go_arch.h"

#include "base/alloc.h"
#include "base/str.h"

const char *go_architecture(const char *machine)
{
        static const struct {
                const char *machine, *go;
        } rows[] = {
                {"x86_64", "amd64"}, {"aarch64", "arm64"},   {"armv7l", "arm"},
                {"armv6l", "arm"},   {"i686", "386"},        {"ppc64le", "ppc64le"},
                {"s390x", "s390x"},  {"riscv64", "riscv64"}, {"loongarch64", "loong64"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                if (str_eq(rows[i].machine, machine))
                        return rows[i].go;
        return machine;
}

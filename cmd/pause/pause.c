/* SPDX-License-Identifier: Apache-2.0
 *
 * pause: the process that holds a pod's namespaces and, as process 1 of them, takes in the processes that lose their
 * parent. No C library: it is carried inside podwatch and started once a pod, so it is a few hundred bytes of code and
 * one page of memory.
 *
 * Zombies: with SIGCHLD ignored the kernel reaps each child as it ends, so that nothing ever wakes here for one.
 * SIGTERM and SIGINT are blocked and waited for, since process 1 of a namespace only gets signals that it blocks or
 * handles, and a handler would need a trampoline. Then it exits with 0.
 */
#include <asm/unistd.h>
#include <signal.h>

/* The kernel's own shapes, on the architectures below. */
typedef unsigned long sigmask;
struct kernel_sigaction {
        void (*handler)(int);
        unsigned long flags;
        void (*restorer)(void);
        sigmask mask;
};
#define BIT(signo) (1UL << ((signo)-1))

#if defined(__x86_64__)
__asm__(".globl _start\n"
        "_start:\n"
        "       xor %ebp, %ebp\n"
        "       mov %rsp, %rdi\n"
        "       and $-16, %rsp\n"
        "       call pause_main\n");

static long call4(long number, long a, long b, long c, long d)
{
        register long r10 __asm__("r10") = d;
        long result;
        __asm__ volatile("syscall"
                         : "=a"(result)
                         : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
                         : "rcx", "r11", "memory");
        return result;
}
#elif defined(__aarch64__)
__asm__(".globl _start\n"
        "_start:\n"
        "       mov x29, #0\n"
        "       mov x30, #0\n"
        "       mov x0, sp\n"
        "       bl pause_main\n");

static long call4(long number, long a, long b, long c, long d)
{
        register long x8 __asm__("x8") = number;
        register long x0 __asm__("x0") = a;
        register long x1 __asm__("x1") = b;
        register long x2 __asm__("x2") = c;
        register long x3 __asm__("x3") = d;
        __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
        return x0;
}
#else
#error "pause: no system call instruction known for this architecture"
#endif

static const char version[] = "pause " GENPHASE_PROJECT_VERSION "\n";

static _Noreturn void leave(int code)
{
        for (;;)
                (void)call4(__NR_exit_group, code, 0, 0, 0);
}

/* stack: argc, then argv. */
_Noreturn void pause_main(const long *stack);

_Noreturn void pause_main(const long *stack)
{
        const char *const *argv = (const char *const *)(stack + 1);
        const sigmask wanted = BIT(SIGTERM) | BIT(SIGINT);
        const struct kernel_sigaction ignore = {.handler = SIG_IGN};

        if (stack[0] > 1 && argv[1][0] == '-' && argv[1][1] == 'v' && argv[1][2] == '\0') {
                long n = call4(__NR_write, 1, (long)version, sizeof(version) - 1, 0);
                leave(n == sizeof(version) - 1 ? 0 : 1);
        }
        if (call4(__NR_rt_sigaction, SIGCHLD, (long)&ignore, 0, sizeof(sigmask)) < 0 ||
            call4(__NR_rt_sigprocmask, SIG_BLOCK, (long)&wanted, 0, sizeof(sigmask)) < 0)
                leave(1);
        /* Interrupted by a stop and continue, say: once more. */
        while (call4(__NR_rt_sigtimedwait, (long)&wanted, 0, 0, sizeof(sigmask)) < 0)
                ;
        leave(0);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a command and tells its wall time and memory: `measure COMMAND [ARGUMENT]...`.
 *
 * Linux counts into ru_maxrss what the process had before its exec, so a command started by a large program looks as
 * large as that one. This program is small and starts its command by vfork, so what it reports is the command's own
 * (and what the command waits for). It adds nothing else to the time either.
 *
 * The command's standard output is dropped, its standard error is this program's. Prints one JSON object:
 * {"seconds": wall time, "maxrss_kib": largest resident memory}. Exits with the command's status, 128 + N where a
 * signal N ended it, 127 where it could not be started.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
        struct timespec ts;

        (void)clock_gettime(CLOCK_MONOTONIC, &ts);
        return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
        posix_spawn_file_actions_t actions;
        struct rusage usage;
        pid_t pid;
        int status;

        if (argc < 2) {
                (void)fprintf(stderr, "usage: measure COMMAND [ARGUMENT]...\n");
                return 2;
        }
        (void)posix_spawn_file_actions_init(&actions);
        (void)posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
        double began = now();
        int r = posix_spawnp(&pid, argv[1], &actions, NULL, argv + 1, environ);
        if (r != 0) {
                (void)fprintf(stderr, "measure: %s: %s\n", argv[1], strerror(r));
                return 127;
        }
        while (wait4(pid, &status, 0, &usage) < 0)
                if (errno != EINTR) {
                        (void)fprintf(stderr, "measure: wait: %s\n", strerror(errno));
                        return 127;
                }
        double seconds = now() - began;
        (void)posix_spawn_file_actions_destroy(&actions);
        (void)printf("{\"seconds\": %.6f, \"maxrss_kib\": %ld}\n", seconds, usage.ru_maxrss);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The time that generating keys takes and nothing else, on all processors: `keygen rsa|ecdsa COUNT`. What
 * `certs all` is measured beside: GnuTLS alone, each thread takes the next key when it has one.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#define THREADS_MAX 64

static gnutls_pk_algorithm_t algorithm;
static unsigned bits;
static int count;
static atomic_int next;
static atomic_bool failed;

static void *work(void *unused)
{
        gnutls_privkey_t key;

        (void)unused;
        while (atomic_fetch_add(&next, 1) < count) {
                if (gnutls_privkey_init(&key) < 0 || gnutls_privkey_generate(key, algorithm, bits, 0) < 0)
                        atomic_store(&failed, true);
                gnutls_privkey_deinit(key);
        }
        return NULL;
}

int main(int argc, char **argv)
{
        pthread_t threads[THREADS_MAX];
        cpu_set_t set;
        int started = 0;

        if (argc != 3 || (strcmp(argv[1], "rsa") != 0 && strcmp(argv[1], "ecdsa") != 0)) {
                (void)fprintf(stderr, "usage: keygen rsa|ecdsa COUNT\n");
                return 2;
        }
        bool rsa = strcmp(argv[1], "rsa") == 0;
        algorithm = rsa ? GNUTLS_PK_RSA : GNUTLS_PK_ECDSA;
        bits = rsa ? 2048 : GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1);
        count = (int)strtoul(argv[2], NULL, 10);
        int wanted = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
        if (wanted > THREADS_MAX)
                wanted = THREADS_MAX;
        while (started + 1 < wanted && pthread_create(&threads[started], NULL, work, NULL) == 0)
                started++;
        (void)work(NULL);
        for (int i = 0; i < started; i++)
                (void)pthread_join(threads[i], NULL);
        return atomic_load(&failed);
}

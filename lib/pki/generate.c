/* SPDX-License-Identifier: Apache-2.0
 *
 * Many keys at once, on threads that share a counter and write to places of their own.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "base/alloc.h"
#include "base/err.h"
#include "pki/key.h"

/* More threads than this gain nothing: a control plane has a dozen keys. */
#define THREADS_MAX 32

struct job {
        enum pki_algorithm algorithm;
        size_t count;
        struct pki_key **keys;
        atomic_size_t next;
        atomic_bool failed;
        struct err err; /* of the one that set `failed` */
        pthread_mutex_t lock;
};

static void *work(void *arg)
{
        struct job *job = arg;

        for (;;) {
                size_t i = atomic_fetch_add(&job->next, 1);
                struct err err = ERR_INIT;
                if (i >= job->count || atomic_load(&job->failed))
                        return NULL;
                if (pki_key_generate(job->algorithm, &job->keys[i], &err) < 0) {
                        (void)pthread_mutex_lock(&job->lock);
                        if (!atomic_exchange(&job->failed, true))
                                job->err = err;
                        (void)pthread_mutex_unlock(&job->lock);
                        return NULL;
                }
        }
}

static size_t processors(void)
{
        cpu_set_t set;
        int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

        return n < 1 ? 1 : (n > THREADS_MAX ? THREADS_MAX : (size_t)n);
}

int pki_key_generate_many(enum pki_algorithm algorithm, size_t count, struct pki_key **ret_keys, struct err *err)
{
        struct pki_key **keys CLEANUP_FREE = xcalloc(count, sizeof(*keys));
        struct job job = {.algorithm = algorithm, .count = count, .keys = keys, .lock = PTHREAD_MUTEX_INITIALIZER};
        pthread_t threads[THREADS_MAX];
        size_t wanted = processors(), started = 0;

        if (wanted > count)
                wanted = count;
        /* This thread works too, so a thread that cannot be started only costs time. */
        while (started + 1 < wanted && pthread_create(&threads[started], NULL, work, &job) == 0)
                started++;
        (void)work(&job);
        for (size_t i = 0; i < started; i++)
                (void)pthread_join(threads[i], NULL);
        if (!atomic_load(&job.failed)) {
                for (size_t i = 0; i < count; i++)
                        ret_keys[i] = keys[i];
                return 0;
        }
        for (size_t i = 0; i < count; i++)
                (void)pki_key_free(keys[i]);
        return err_set(err, job.err.code, "%s", job.err.msg);
}

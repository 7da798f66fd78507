/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <shadow.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/strv.h"
#include "codec/value.h"
#include "phase/phase.h"
#include "phase/users.h"

#define LOGIN_DEFS "/etc/login.defs"
#define PASSWD "/etc/passwd"
#define GROUP "/etc/group"
#define NO_SHELL "/bin/false"
#define GROUP_FIELDS 4
#define USER_FIELDS 7
#define RANGE_MIN 100 /* where login.defs does not say it */
#define RANGE_MAX 999

struct range {
        int64_t min, max;
};

/* A line of passwd or group. */
struct entry {
        char *name;
        int64_t id, gid;     /* gid: a user's */
        char *users, *shell; /* of a group, "a,b"; of a user */
};

struct entries {
        struct entry *items;
        size_t count, there; /* those behind `there` are missing in the file */
        struct buf text;     /* the file as it is to be; what was read of it comes first */
        size_t read_len;
};

struct users {
        struct entries users, groups;
        bool locked;
};

static void entries_release(struct entries *e)
{
        for (size_t i = 0; i < e->count; i++) {
                free(e->items[i].name);
                free(e->items[i].users);
                free(e->items[i].shell);
        }
        free(e->items);
        buf_release(&e->text);
}

struct users *users_free(struct users *users)
{
        if (!users)
                return NULL;
        users_unlock(users);
        entries_release(&users->users);
        entries_release(&users->groups);
        free(users);
        return NULL;
}

static struct entry *find(const struct entries *e, const char *name)
{
        for (size_t i = 0; i < e->count; i++)
                if (str_eq(e->items[i].name, name))
                        return &e->items[i];
        return NULL;
}

static struct entry *add(struct entries *e, const struct entry *entry)
{
        e->items = xrealloc(e->items, e->count + 1, sizeof(*e->items));
        e->items[e->count] = *entry;
        return &e->items[e->count++];
}

static int parse_number(const char *text, int64_t *ret, struct err *err)
{
        int r = str_to_i64(*text == '+' ? text + 1 : text, ret);

        return r == 0 ? 0
                      : err_set(err, ERR_INVALID, "strconv.ParseInt: parsing \"%s\": %s", text,
                                r == -ERANGE ? "value out of range" : "invalid syntax");
}

/* ---- /etc/login.defs ---- */

static int parse_definition(char *line, size_t number, struct range *uids, struct range *gids, struct err *err)
{
        const struct {
                const char *name;
                int64_t *to;
        } definitions[] = {{"SYS_UID_MIN", &uids->min},
                           {"SYS_UID_MAX", &uids->max},
                           {"SYS_GID_MIN", &gids->min},
                           {"SYS_GID_MAX", &gids->max}};

        for (size_t i = 0; i < ARRAY_SIZE(definitions); i++) {
                const char *rest = str_after(line, definitions[i].name);
                char *text CLEANUP_FREE = rest ? str_trimmed(rest) : NULL;

                if (text && parse_number(text, definitions[i].to, err) < 0)
                        return err_wrap(err, "could not parse value for %s at line %zu", definitions[i].name, number);
        }
        return 0;
}

/* A file that is missing or cannot be read gives the usual ranges. */
static int read_ranges(const struct phase *phase, struct range *uids, struct range *gids, struct err *err)
{
        char *text CLEANUP_FREE = NULL;
        struct strv lines CLEANUP_STRV = STRV_INIT;
        struct err why = ERR_INIT;
        size_t len;

        *uids = *gids = (struct range){RANGE_MIN, RANGE_MAX};
        if (phase_require_file(phase, LOGIN_DEFS, LIMIT_PASSWD_BYTES, &text, &len, &why) < 0) {
                phase_detail(phase, 1, "Could not open \"" LOGIN_DEFS "\", using default system limits: %s", why.msg);
                return 0;
        }
        strv_split(&lines, text, '\n');
        for (size_t i = 0; i < lines.len; i++) {
                int r = parse_definition(lines.items[i], i, uids, gids, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* ---- /etc/passwd, /etc/group ---- */

static int parse_entry(char *line, size_t number, size_t wanted, struct entries *ret, struct err *err)
{
        struct strv fields CLEANUP_STRV = STRV_INIT;
        struct entry entry = {.name = NULL};

        strv_split(&fields, line, ':');
        if (fields.len != wanted)
                return err_set(err, ERR_INVALID, "entry must have %zu fields separated by ':', got %zu at line %zu: %s",
                               wanted, fields.len, number, line);
        if (parse_number(fields.items[2], &entry.id, err) < 0)
                return err_wrap(err, "error parsing id at line %zu", number);
        if (wanted == USER_FIELDS && parse_number(fields.items[3], &entry.gid, err) < 0)
                return err_wrap(err, "error parsing GID at line %zu", number);
        entry.name = xstrdup(fields.items[0]);
        if (wanted == USER_FIELDS)
                entry.shell = xstrdup(fields.items[6]);
        else
                entry.users = xstrdup(fields.items[3]);
        (void)add(ret, &entry);
        return 0;
}

static int read_entries(const struct phase *phase, const char *path, size_t fields, struct entries *ret,
                        struct err *err)
{
        char *text CLEANUP_FREE = NULL;
        struct strv lines CLEANUP_STRV = STRV_INIT;
        size_t len;
        int r = phase_require_file(phase, path, LIMIT_PASSWD_BYTES, &text, &len, err);

        if (r < 0)
                return r;
        ret->text = BUF_INIT(2 * LIMIT_PASSWD_BYTES);
        buf_add(&ret->text, text, len);
        ret->read_len = len;
        strv_split(&lines, text, '\n');
        for (size_t i = 0; i < lines.len; i++) {
                char *line CLEANUP_FREE = str_trimmed(lines.items[i]);

                if (*line && parse_entry(line, i, fields, ret, err) < 0)
                        return err_wrap(err, "could not parse \"%s\"", path);
        }
        ret->there = ret->count;
        return 0;
}

/* ---- what is there already ---- */

static int check_user(const struct users *users, const struct entry *user, const struct range *range, struct err *err)
{
        if (user->id < range->min || user->id > range->max)
                return err_set(err, ERR_INVALID,
                               "UID %lld for user \"%s\" is outside the system UID range: %lld - %lld",
                               (long long)user->id, user->name, (long long)range->min, (long long)range->max);
        if (!str_eq(user->shell, NO_SHELL))
                return err_set(err, ERR_INVALID, "user \"%s\" has unexpected shell \"%s\"; expected \"" NO_SHELL "\"",
                               user->name, user->shell);
        for (size_t i = 0; i < users->groups.there; i++) {
                const struct entry *group = &users->groups.items[i];

                if (group->id != user->gid)
                        continue;
                return str_eq(group->name, user->name)
                               ? 0
                               : err_set(err, ERR_INVALID,
                                         "user \"%s\" has GID %lld but the group with that GID is not named \"%s\"",
                                         user->name, (long long)group->id, user->name);
        }
        return err_set(err, ERR_INVALID, "could not find group with GID %lld for user \"%s\"", (long long)user->gid,
                       user->name);
}

static int check_group(const struct entry *group, const char *members, const struct range *range, struct err *err)
{
        if (group->id < range->min || group->id > range->max)
                return err_set(err, ERR_INVALID,
                               "GID %lld for user \"%s\" is outside the system UID range: %lld - %lld",
                               (long long)group->id, group->name, (long long)range->min, (long long)range->max);
        return str_eq(group->users, members)
                       ? 0
                       : err_set(err, ERR_INVALID, "expected users \"%s\" for group \"%s\"; got \"%s\"", members,
                                 group->name, group->users);
}

static char *join_names(const struct value *list)
{
        struct strv names CLEANUP_STRV = STRV_INIT;

        for (size_t i = 0; value_is(list, VALUE_LIST) && i < list->list.count; i++)
                strv_add(&names, value_string(list->list.items[i], ""));
        return strv_join(&names, ",");
}

/* Checks those that are there, and adds the others behind them without a number. */
static int add_missing(struct users *users, const struct value *names, const struct value *groups,
                       const struct range *uids, const struct range *gids, struct err *err)
{
        int r = 0;

        for (size_t i = 0; i < names->list.count && r == 0; i++) {
                const char *name = value_string(names->list.items[i], "");
                const struct entry *there = find(&users->users, name);

                if (there)
                        r = check_user(users, there, uids, err);
                else
                        (void)add(&users->users, &(struct entry){.name = xstrdup(name)});
        }
        for (size_t i = 0; i < groups->list.count && r == 0; i++) {
                const struct value *group = groups->list.items[i];
                const char *name = value_string(value_map_get(group, "name"), "");
                char *members CLEANUP_FREE = join_names(value_map_get(group, "users"));
                const struct entry *there = find(&users->groups, name);

                if (there)
                        r = check_group(there, members, gids, err);
                else
                        (void)add(&users->groups, &(struct entry){.name = xstrdup(name), .users = TAKE_PTR(members)});
        }
        return r < 0 ? err_wrap(err, "error validating existing users and groups") : 0;
}

/* ---- numbers ---- */

/* The lowest of the range that are free. Among as many numbers as there are entries in all, enough are. */
static int allocate(struct entries *e, const struct range *range, struct err *err)
{
        bool *taken CLEANUP_FREE = xcalloc(e->count + 1, sizeof(*taken));
        size_t next = e->there;

        for (size_t i = 0; i < e->there; i++) {
                int64_t id = e->items[i].id;
                if (id >= range->min && (uint64_t)id - (uint64_t)range->min < e->count)
                        taken[(uint64_t)id - (uint64_t)range->min] = true;
        }
        for (size_t i = 0; i < e->count && next < e->count; i++) {
                if (range->max < range->min || (uint64_t)range->max - (uint64_t)range->min < i)
                        break;
                if (!taken[i])
                        e->items[next++].id = range->min + (int64_t)i;
        }
        return next == e->count
                       ? 0
                       : err_set(err, ERR_INVALID,
                                 "could not allocate %zu IDs based on existing entries in the range: %lld - %lld",
                                 e->count - e->there, (long long)range->min, (long long)range->max);
}

static void write_missing(struct users *users)
{
        struct entries *const all[] = {&users->users, &users->groups};

        for (size_t k = 0; k < ARRAY_SIZE(all); k++) {
                struct entries *e = all[k];

                if (e->there < e->count && !str_ends(buf_str(&e->text), "\n"))
                        buf_addch(&e->text, '\n');
                for (size_t i = e->there; i < e->count; i++) {
                        const struct entry *x = &e->items[i];
                        if (x->users)
                                buf_addf(&e->text, "%s:x:%lld:%s\n", x->name, (long long)x->id, x->users);
                        else
                                buf_addf(&e->text, "%s:x:%lld:%lld:::" NO_SHELL "\n", x->name, (long long)x->id,
                                         (long long)x->gid);
                }
        }
}

static int load(const struct phase *phase, const struct value *names, const struct value *groups, struct users *users,
                struct err *err)
{
        struct range uids, gids;
        int r = read_ranges(phase, &uids, &gids, err);

        phase_detail(phase, 1, "Adding managed users and groups");
        if (r == 0)
                r = read_entries(phase, PASSWD, USER_FIELDS, &users->users, err);
        if (r == 0)
                r = read_entries(phase, GROUP, GROUP_FIELDS, &users->groups, err);
        if (r == 0)
                r = add_missing(users, names, groups, &uids, &gids, err);
        if (r == 0)
                r = allocate(&users->users, &uids, err);
        if (r == 0)
                r = allocate(&users->groups, &gids, err);
        if (r < 0)
                return r;
        for (size_t i = users->users.there; i < users->users.count; i++) {
                const struct entry *group = find(&users->groups, users->users.items[i].name);
                users->users.items[i].gid = group ? group->id : 0;
        }
        write_missing(users);
        r = buf_check(&users->users.text, PASSWD, err);
        return r < 0 ? r : buf_check(&users->groups.text, GROUP, err);
}

int users_load(const struct phase *phase, const struct value *user_names, const struct value *groups,
               struct users **ret, struct err *err)
{
        struct users *users = xcalloc(1, sizeof(*users));
        int r = load(phase, user_names, groups, users, err);

        if (r < 0)
                (void)users_free(users);
        else
                *ret = users;
        return r;
}

int64_t users_uid(const struct users *users, const char *name)
{
        const struct entry *entry = find(&users->users, name);

        return entry ? entry->id : -1;
}

int64_t users_gid(const struct users *users, const char *name)
{
        const struct entry *entry = find(&users->groups, name);

        return entry ? entry->id : -1;
}

/* ---- what is written ---- */

/* As useradd and its like do; what is below --rootfs, they do not work on. */
static int lock(struct users *users, const struct phase *phase, struct err *err)
{
        if (users->locked || !str_empty(phase->options.rootfs))
                return 0;
        /* EINTR: it waited 15 seconds for the one who has it. */
        if (lckpwdf() < 0)
                return err_set_errno(err, errno == EINTR ? EBUSY : errno, "cannot lock " PASSWD " and " GROUP);
        users->locked = true;
        return 0;
}

void users_unlock(struct users *users)
{
        if (users->locked)
                (void)ulckpwdf();
        users->locked = false;
}

/* Numbers were chosen by what was read before the lock was held. */
static int check_unchanged(const struct phase *phase, const char *path, const struct entries *e, struct err *err)
{
        char *text CLEANUP_FREE = NULL;
        size_t len;
        int r = phase_require_file(phase, path, LIMIT_PASSWD_BYTES, &text, &len, err);

        if (r < 0)
                return r;
        return len == e->read_len && memcmp(text, e->text.data, len) == 0
                       ? 0
                       : err_set(err, ERR_CONFLICT, "%s was changed by somebody else meanwhile; run it again", path);
}

int users_add_files(struct users *users, struct phase *phase, const char *context, struct err *err)
{
        struct entries *const all[] = {&users->users, &users->groups};
        static const char *const paths[] = {PASSWD, GROUP};

        for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
                if (all[i]->there == all[i]->count)
                        continue;
                int r = lock(users, phase, err);
                if (r == 0)
                        r = check_unchanged(phase, paths[i], all[i], err);
                if (r < 0)
                        return r;
                phase_add_file(phase, paths[i], all[i]->text.data, all[i]->text.len, 0644, 0755, 0);
                phase_file_context(phase, "%s", context);
                all[i]->there = all[i]->count;
        }
        return 0;
}

/* ---- what is taken away ---- */

int64_t users_find(const struct phase *phase, const char *name)
{
        char *text CLEANUP_FREE = NULL, *start CLEANUP_FREE = xasprintf("%s:", name);
        struct strv lines CLEANUP_STRV = STRV_INIT, fields CLEANUP_STRV = STRV_INIT;
        const char *line;
        int64_t id = -1;
        size_t len;

        if (phase_require_file(phase, PASSWD, LIMIT_PASSWD_BYTES, &text, &len, NULL) < 0)
                return -1;
        strv_split(&lines, text, '\n');
        STRV_FOREACH (line, &lines) {
                if (!str_starts(line, start))
                        continue;
                strv_split(&fields, line, ':');
                return fields.len == USER_FIELDS && parse_number(fields.items[2], &id, NULL) == 0 ? id : -1;
        }
        return -1;
}

static bool is_line_of(const char *line, const struct strv *names)
{
        const char *name;

        STRV_FOREACH (name, names) {
                const char *rest = str_after(line, name);
                if (rest && *rest == ':')
                        return true;
        }
        return false;
}

static int remove_lines(struct phase *phase, const char *path, const struct strv *names, struct err *err)
{
        struct strv lines CLEANUP_STRV = STRV_INIT, left CLEANUP_STRV = STRV_INIT;
        char *text CLEANUP_FREE = NULL;
        const char *line;
        size_t len;
        int r = phase_require_file(phase, path, LIMIT_PASSWD_BYTES, &text, &len, err);

        if (r < 0)
                return r;
        strv_split(&lines, text, '\n');
        STRV_FOREACH (line, &lines)
                if (!is_line_of(line, names))
                        strv_add(&left, line);
        char *rest CLEANUP_FREE = strv_join(&left, "\n");
        phase_add_file(phase, path, rest, strlen(rest), 0644, 0755, 0);
        return 0;
}

int users_remove(struct phase *phase, const struct strv *user_names, const struct strv *groups, struct err *err)
{
        struct users users CLEANUP(users_unlock) = {.locked = false};
        int r = lock(&users, phase, err);

        if (r == 0)
                r = remove_lines(phase, PASSWD, user_names, err);
        if (r == 0)
                r = remove_lines(phase, GROUP, groups, err);
        if (r == 0)
                return phase_commit(phase, err);
        phase_discard(phase);
        return r;
}

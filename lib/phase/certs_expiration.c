/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/json.h"
#include "codec/timefmt.h"
#include "codec/value.h"
#include "codec/yaml.h"
#include "phase/certs.h"
#include "phase/certs_managed.h"
#include "phase/phase.h"
#include "phase/text_table.h"

#define MINUTE 60
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

struct row {
        const struct certs_managed *what;
        bool missing, external;
        int64_t not_after, left; /* seconds: since 1970, from now on */
};

struct report {
        struct pki_files files;
        struct certs_managed certs[CERTS_MANAGED_MAX], cas[CERTS_MANAGED_MAX];
        struct row cert_rows[CERTS_MANAGED_MAX], ca_rows[CERTS_MANAGED_MAX];
        size_t cert_count, ca_count;
};

static void report_release(struct report *report)
{
        pki_files_release(&report->files);
}

static int look(struct report *report, const struct certs_managed *m, struct row *ret, struct err *err)
{
        struct pki_certs found CLEANUP_PKI_CERTS = {.items = NULL};
        struct value *tree CLEANUP_VALUE = NULL;

        *ret = (struct row){.what = m, .missing = !certs_managed_exists(&report->files, m)};
        if (ret->missing)
                return 0;
        int r = certs_managed_external(&report->files, m->ca_base_name, &ret->external, err);
        if (r == 0)
                r = certs_managed_read(&report->files, m, &found, &tree, err);
        if (r < 0)
                return r;
        ret->not_after = pki_cert_facts(found.items[0])->not_after;
        /* Whole seconds towards zero, as Go divides a duration. */
        ret->left = (ret->not_after * (int64_t)USEC_PER_SEC - (int64_t)clock_realtime()) / (int64_t)USEC_PER_SEC;
        return 0;
}

/* duration.ShortHumanDuration, up to kubeadm 1.30 */
static void short_duration(int64_t seconds, char ret[TIMEFMT_MAX])
{
        static const struct {
                int64_t below, unit;
                char letter;
        } units[] = {{MINUTE, 1, 's'}, {HOUR, MINUTE, 'm'}, {DAY, HOUR, 'h'}, {365 * DAY, DAY, 'd'}};

        for (size_t i = 0; i < ARRAY_SIZE(units); i++)
                if (seconds < units[i].below) {
                        (void)snprintf(ret, TIMEFMT_MAX, "%" PRId64 "%c", seconds / units[i].unit, units[i].letter);
                        return;
                }
        (void)snprintf(ret, TIMEFMT_MAX, "%" PRId64 "y", seconds / (365 * DAY));
}

static void residual_text(const struct phase *phase, int64_t seconds, char ret[TIMEFMT_MAX])
{
        if (seconds < 0)
                str_copy(ret, TIMEFMT_MAX, seconds < -1 ? "<invalid>" : "0s");
        else if (str_eq(era_text(phase->era, "certificates", "residualTime", ""), "short"))
                short_duration(seconds, ret);
        else
                duration_human((usec_t)seconds * USEC_PER_SEC, ret);
}

static void add_row(const struct phase *phase, const struct row *row, bool with_ca, struct strv *cells)
{
        time_t when = (time_t)row->not_after;
        char date[64], left[TIMEFMT_MAX];
        struct tm tm;

        if (row->missing) {
                strv_addf(cells, "!MISSING! %s", row->what->name);
                for (int i = 0; i < (with_ca ? 4 : 3); i++)
                        strv_add(cells, "");
                return;
        }
        (void)gmtime_r(&when, &tm);
        (void)strftime(date, sizeof(date), "%b %d, %Y %H:%M UTC", &tm);
        residual_text(phase, row->left, left);
        strv_add(cells, row->what->name);
        strv_add(cells, date);
        strv_add(cells, left);
        if (with_ca)
                strv_add(cells, row->what->ca);
        strv_addf(cells, "%-8s", row->external ? "yes" : "no");
}

static void write_table(const struct phase *phase, const char *header, const struct row *rows, size_t count,
                        bool with_ca, struct buf *out)
{
        struct strv lines[CERTS_MANAGED_MAX + 1] = {0};

        strv_split(&lines[0], header, '|');
        for (size_t i = 0; i < count; i++)
                add_row(phase, &rows[i], with_ca, &lines[i + 1]);
        text_table_write(lines, count + 1, out);
        for (size_t i = 0; i <= count; i++)
                strv_release(&lines[i]);
}

static struct value *row_object(const struct row *row)
{
        struct value *object = value_new_map();
        char date[TIMEFMT_MAX];

        timefmt_seconds((usec_t)row->not_after * USEC_PER_SEC, date);
        value_map_set(object, "name", value_new_string(row->what->name));
        value_map_set(object, "expirationDate", row->missing ? value_new_null() : value_new_string(date));
        value_map_set(object, "residualTime", value_new_int(row->left));
        value_map_set(object, "externallyManaged", value_new_bool(row->external));
        if (row->what->ca && !row->missing)
                value_map_set(object, "caName", value_new_string(row->what->ca));
        value_map_set(object, "missing", value_new_bool(row->missing));
        return object;
}

static void add_objects(struct value *object, const char *key, const struct row *rows, size_t count)
{
        struct value *list = value_map_set(object, key, value_new_list());

        for (size_t i = 0; i < count; i++)
                value_list_add(list, row_object(&rows[i]));
}

/* CertificateExpirationInfo, in the order of the Go struct. */
static struct value *report_object(const struct report *report)
{
        const struct era *era = report->files.phase->era;
        struct value *object = value_new_map();

        value_map_set(object, "kind", value_new_string("CertificateExpirationInfo"));
        value_map_set(
                object, "apiVersion",
                value_new_stringf("output.kubeadm.k8s.io/%s", era_text(era, "output", "expirationApiVersion", "")));
        add_objects(object, "certificates", report->cert_rows, report->cert_count);
        add_objects(object, "certificateAuthorities", report->ca_rows, report->ca_count);
        return object;
}

static void write_certificates(const struct report *report, struct buf *out)
{
        write_table(report->files.phase, "CERTIFICATE|EXPIRES|RESIDUAL TIME|CERTIFICATE AUTHORITY|EXTERNALLY MANAGED",
                    report->cert_rows, report->cert_count, true, out);
        buf_addch(out, '\n');
}

/* What a kubeadm that prints as it goes has said before it fails over an authority. */
static void print_begun(const struct report *report)
{
        const struct phase *phase = report->files.phase;
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);

        if (!era_flag(phase->era, "certificates", "expirationAsItGoes"))
                return;
        write_certificates(report, &out);
        (void)fputs(buf_str(&out), phase->options.out);
}

static int print(const struct report *report, struct err *err)
{
        const struct phase *phase = report->files.phase;
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
        const char *format = phase->options.output;
        struct value *object CLEANUP_VALUE = report_object(report);

        if (str_eq(format, "json")) {
                json_write(object, JSON_INDENT_4, &out);
                buf_addch(&out, '\n');
        } else if (str_eq(format, "yaml")) {
                yaml_write(object, 0, &out);
        } else {
                write_certificates(report, &out);
                write_table(phase, "CERTIFICATE AUTHORITY|EXPIRES|RESIDUAL TIME|EXTERNALLY MANAGED", report->ca_rows,
                            report->ca_count, false, &out);
        }
        int r = buf_check(&out, "the list of certificates", err);
        if (r == 0)
                (void)fputs(buf_str(&out), phase->options.out);
        return r;
}

int certs_expiration(struct phase *phase, struct err *err)
{
        struct report report CLEANUP(report_release) = {.cert_count = 0};
        int r = 0;

        pki_files_init(&report.files, phase);
        report.cert_count = certs_managed_list(phase, report.certs);
        report.ca_count = certs_managed_cas(phase, report.cas);
        for (size_t i = 0; i < report.cert_count && r == 0; i++)
                r = look(&report, &report.certs[i], &report.cert_rows[i], err);
        if (r < 0)
                return r;
        for (size_t i = 0; i < report.ca_count && r == 0; i++)
                r = look(&report, &report.cas[i], &report.ca_rows[i], err);
        if (r < 0)
                print_begun(&report);
        return r < 0 ? r : print(&report, err);
}

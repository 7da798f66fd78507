/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "phase/kubernetes_version.h"

static size_t number_length(const char *p)
{
        size_t n = strspn(p, "0123456789");

        return n > 1 && p[0] == '0' ? 0 : n;
}

/* The number of n digits at p; the callers allow at most four. */
static int number_at(const char *p, size_t n)
{
        int number = 0;

        for (size_t i = 0; i < n; i++)
                number = number * 10 + (p[i] - '0');
        return number;
}

static bool word_char(char c)
{
        return isalnum((unsigned char)c) || (c && strchr("-_.+", c));
}

/* ^v?N.N.N[-\w.+]*$ ; *ret_minor is set where the form is right. */
static bool is_release(const char *text, int *ret_minor)
{
        const char *p = text[0] == 'v' ? text + 1 : text;
        size_t n = number_length(p);

        if (n == 0 || p[n] != '.')
                return false;
        p += n + 1;
        n = number_length(p);
        if (n == 0 || n > 4 || p[n] != '.')
                return false;
        *ret_minor = number_at(p, n);
        p += n + 1;
        /* What follows may begin with digits, so "00" is of the form. */
        if (!isdigit((unsigned char)*p))
                return false;
        for (; *p; p++)
                if (!word_char(*p))
                        return false;
        return true;
}

/* The label behind "release/" or "ci/"; NULL where text has another form. */
static const char *label_of(const char *text, bool *ret_ci)
{
        const char *rest = str_after(text, "ci/");

        *ret_ci = rest != NULL;
        if (!rest)
                rest = str_after(text, "release/");
        if (!rest)
                rest = text;
        for (const char *p = rest; *p; p++)
                if (!word_char(*p))
                        return NULL;
        return *rest ? rest : NULL;
}

/* (latest|stable)(-1(.36)?)? */
static bool is_label(const char *label, int *ret_minor)
{
        const char *p = str_after(label, "latest");

        if (!p)
                p = str_after(label, "stable");
        *ret_minor = -1;
        if (!p || !*p)
                return p != NULL;
        if (p[0] != '-' || p[1] < '1' || p[1] > '9')
                return false;
        p += 2;
        if (*p == '.') {
                size_t n = number_length(++p);
                if (n == 0 || n > 2 || p[0] == '0')
                        return false;
                *ret_minor = number_at(p, n);
                p += n;
        }
        return !*p;
}

int kubernetes_version_minor(const char *text)
{
        const char *label;
        int minor = -1;
        bool ci;

        if (!text)
                return -1;
        label = label_of(text, &ci);
        if (!label || (!is_release(label, &minor) && !is_label(label, &minor)))
                return -1;
        return minor;
}

/* The first of the numbers in len characters at p that begins with a zero and is not 0. */
static const char *zero_prefixed(const char *p, size_t len)
{
        for (size_t at = 0; at < len; at += strcspn(p + at, ".") + 1)
                if (p[at] == '0' && isdigit((unsigned char)p[at + 1]))
                        return p + at;
        return NULL;
}

/* What apimachinery's version.ParseSemantic objects to in a text that has the form of a release:
 * util/version/version.go. */
static void explain_illegal(const char *text, struct buf *out)
{
        const char *rest = text + (text[0] == 'v');
        size_t numbers = 1, len = strspn(rest, "0123456789"), pre;

        while (rest[len] == '.' && isdigit((unsigned char)rest[len + 1])) {
                len += 1 + strspn(rest + len + 1, "0123456789");
                numbers++;
        }
        const char *zero = numbers == 3 ? zero_prefixed(rest, len) : NULL;
        if (zero) {
                buf_addf(out, "illegal zero-prefixed version component \"%.*s\" in \"%s\"",
                         (int)strspn(zero, "0123456789"), zero, text);
                return;
        }
        rest += len;
        if (numbers != 3) {
                buf_addf(out, "illegal version string \"%s\"", text);
                return;
        }
        pre = rest[0] == '-' ? strcspn(rest + 1, "+") : 0;
        for (size_t at = 0; at < pre;) {
                const char *part = rest + 1 + at;
                size_t size = strcspn(part, ".+");

                if (size > 1 && part[0] == '0' && strspn(part, "0123456789") >= size) {
                        buf_addf(out, "illegal zero-prefixed version component \"%.*s\" in \"%s\"", (int)size, part,
                                 text);
                        return;
                }
                at += size + 1;
        }
        buf_addf(out, "could not parse pre-release/metadata (%s) in version \"%s\"", rest, text);
}

static int check_oldest(const struct config_text *text, const struct era *era, struct config_problems *problems,
                        struct err *err)
{
        const struct kube_version *kubeadm = era_version(era);
        struct kube_version version, oldest = {.major = kubeadm->major};

        oldest.minor = kubeadm->minor - (int)era_number(era, "config", "oldestMinorBehind", 0);
        if (kube_version_parse(text->text, false, &version, NULL) < 0) {
                struct buf why CLEANUP_BUF = BUF_INIT(LIMIT_FINDING_BYTES);

                explain_illegal(text->text, &why);
                config_problem_error(problems, &text->place, "couldn't parse Kubernetes version \"%s\": %s", text->text,
                                     buf_str(&why));
                return config_problems_aggregate(problems, err);
        }
        if (kube_version_compare(&version, &oldest) >= 0)
                return 0;
        config_problem_error(
                problems, &text->place,
                "this version of kubeadm only supports deploying clusters with the control plane version >= "
                "%d.%d.0. Current version: %s",
                oldest.major, oldest.minor, text->text);
        return config_problems_aggregate(problems, err);
}

int kubernetes_version_normalise(struct phase_config *config, const struct era *era, struct config_problems *problems,
                                 struct err *err)
{
        struct config_text *text = &config->cluster.kubernetes_version;
        char own[KUBE_VERSION_MAX];
        bool ci;
        int minor;

        const char *label = label_of(text->text, &ci);
        if (label && is_release(label, &minor)) {
                text->text = label[0] == 'v' ? label : config_keepf(config, "v%s", label);
        } else if (label && is_label(label, &minor)) {
                struct kube_version kubeadm = *era_version(era);
                kubeadm.build[0] = '\0';
                kube_version_text(&kubeadm, own);
                if (text->place.file)
                        config_problem_warning(problems, &text->place,
                                               "could not fetch a Kubernetes version from the internet: not tried; "
                                               "falling back to the kubeadm version: %s",
                                               own);
                text->text = config_keepf(config, "%s", own);
        } else {
                config_problem_error(
                        problems, &text->place,
                        label ? "version \"%s\" doesn't match patterns for neither semantic version nor labels "
                                "(stable, latest, ...)"
                              : "invalid version \"%s\"",
                        text->text);
                return config_problems_aggregate(problems, err);
        }
        if (ci && str_eq(config->cluster.image_repository.text, era_text(era, "config", "imageRepository", "")))
                config->cluster.ci_image_repository = (struct config_text){
                        config_keepf(config, "%s", era_text(era, "config", "ciImageRepository", "")),
                        text->place,
                };
        return check_oldest(text, era, problems, err);
}

char *kubernetes_version_tag(const char *version)
{
        char *tag = xstrdup(version);

        for (char *p = tag; *p; p++)
                if (!isalnum((unsigned char)*p) && !strchr("-_.", *p))
                        *p = '_';
        return tag;
}

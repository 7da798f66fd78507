/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/strv.h"
#include "codec/value.h"
#include "kube/kubelet_flags.h"
#include "kube/pod.h"

#define NO_EFFECT "has no effect in podwatch"

enum flag_type {
        FLAG_TEXT,
        FLAG_BOOL,
        FLAG_NUMBER,
        FLAG_LIST,       /* a,b */
        FLAG_MAP,        /* a=b,c=d */
        FLAG_BOOL_MAP,   /* A=true,B=false */
        FLAG_THRESHOLDS, /* a<b,c<d */
        FLAG_TAINTS,     /* key=value:effect,key:effect */
        FLAG_TYPE_MAX
};

struct flag {
        const char *name;
        const char *shown; /* with its dashes: where its value was written */
        const char *key;   /* path in KubeletConfiguration, NULL: the flag alone has it */
        enum flag_type type;
        bool inert; /* a flag alone, and of no effect */
};

#define FLAG_KEY(name_, key_, type_)                         \
        {                                                    \
                name_, "--" name_, key_, FLAG_##type_, false \
        }
#define FLAG_ALONE(name_)                                 \
        {                                                 \
                name_, "--" name_, NULL, FLAG_TEXT, false \
        }
#define FLAG_INERT(name_)                                \
        {                                                \
                name_, "--" name_, NULL, FLAG_TEXT, true \
        }
#define FLAG_INERT_BOOL(name_)                           \
        {                                                \
                name_, "--" name_, NULL, FLAG_BOOL, true \
        }

static const struct flag flags[] = {
        FLAG_KEY("address", "address", TEXT),
        FLAG_KEY("allowed-unsafe-sysctls", "allowedUnsafeSysctls", LIST),
        FLAG_KEY("anonymous-auth", "authentication.anonymous.enabled", BOOL),
        FLAG_KEY("authentication-token-webhook", "authentication.webhook.enabled", BOOL),
        FLAG_KEY("authentication-token-webhook-cache-ttl", "authentication.webhook.cacheTTL", TEXT),
        FLAG_KEY("authorization-mode", "authorization.mode", TEXT),
        FLAG_KEY("authorization-webhook-cache-authorized-ttl", "authorization.webhook.cacheAuthorizedTTL", TEXT),
        FLAG_KEY("authorization-webhook-cache-unauthorized-ttl", "authorization.webhook.cacheUnauthorizedTTL", TEXT),
        FLAG_INERT("bootstrap-kubeconfig"),
        FLAG_ALONE("cert-dir"),
        FLAG_KEY("cgroup-driver", "cgroupDriver", TEXT),
        FLAG_KEY("cgroup-root", "cgroupRoot", TEXT),
        FLAG_KEY("cgroups-per-qos", "cgroupsPerQOS", BOOL),
        FLAG_KEY("client-ca-file", "authentication.x509.clientCAFile", TEXT),
        FLAG_INERT("cloud-config"),
        FLAG_INERT("cloud-provider"),
        FLAG_KEY("cluster-dns", "clusterDNS", LIST),
        FLAG_KEY("cluster-domain", "clusterDomain", TEXT),
        FLAG_INERT("cni-bin-dir"),
        FLAG_INERT("cni-cache-dir"),
        FLAG_INERT("cni-conf-dir"),
        FLAG_INERT("config"), /* named on the command line that this is read beside */
        FLAG_INERT("config-dir"),
        FLAG_KEY("container-log-max-files", "containerLogMaxFiles", NUMBER),
        FLAG_KEY("container-log-max-size", "containerLogMaxSize", TEXT),
        FLAG_INERT("container-runtime"),
        FLAG_KEY("container-runtime-endpoint", "containerRuntimeEndpoint", TEXT),
        FLAG_KEY("contention-profiling", "enableContentionProfiling", BOOL),
        FLAG_KEY("cpu-cfs-quota", "cpuCFSQuota", BOOL),
        FLAG_KEY("cpu-cfs-quota-period", "cpuCFSQuotaPeriod", TEXT),
        FLAG_KEY("cpu-manager-policy", "cpuManagerPolicy", TEXT),
        FLAG_KEY("cpu-manager-policy-options", "cpuManagerPolicyOptions", MAP),
        FLAG_KEY("cpu-manager-reconcile-period", "cpuManagerReconcilePeriod", TEXT),
        FLAG_INERT("docker-endpoint"),
        FLAG_INERT("dynamic-config-dir"),
        FLAG_KEY("enable-controller-attach-detach", "enableControllerAttachDetach", BOOL),
        FLAG_KEY("enable-debugging-handlers", "enableDebuggingHandlers", BOOL),
        FLAG_KEY("enable-server", "enableServer", BOOL),
        FLAG_KEY("enforce-node-allocatable", "enforceNodeAllocatable", LIST),
        FLAG_KEY("event-burst", "eventBurst", NUMBER),
        FLAG_KEY("event-qps", "eventRecordQPS", NUMBER),
        FLAG_KEY("eviction-hard", "evictionHard", THRESHOLDS),
        FLAG_KEY("eviction-max-pod-grace-period", "evictionMaxPodGracePeriod", NUMBER),
        FLAG_KEY("eviction-minimum-reclaim", "evictionMinimumReclaim", MAP),
        FLAG_KEY("eviction-pressure-transition-period", "evictionPressureTransitionPeriod", TEXT),
        FLAG_KEY("eviction-soft", "evictionSoft", THRESHOLDS),
        FLAG_KEY("eviction-soft-grace-period", "evictionSoftGracePeriod", MAP),
        FLAG_INERT_BOOL("exit-on-lock-contention"),
        FLAG_INERT_BOOL("experimental-allocatable-ignore-eviction"),
        FLAG_INERT("experimental-mounter-path"),
        FLAG_KEY("fail-cgroupv1", "failCgroupV1", BOOL),
        FLAG_KEY("fail-swap-on", "failSwapOn", BOOL),
        FLAG_KEY("feature-gates", "featureGates", BOOL_MAP),
        FLAG_KEY("file-check-frequency", "fileCheckFrequency", TEXT),
        FLAG_KEY("hairpin-mode", "hairpinMode", TEXT),
        FLAG_KEY("healthz-bind-address", "healthzBindAddress", TEXT),
        FLAG_KEY("healthz-port", "healthzPort", NUMBER),
        FLAG_ALONE("hostname-override"),
        FLAG_KEY("http-check-frequency", "httpCheckFrequency", TEXT),
        FLAG_INERT("image-credential-provider-bin-dir"),
        FLAG_INERT("image-credential-provider-config"),
        FLAG_KEY("image-gc-high-threshold", "imageGCHighThresholdPercent", NUMBER),
        FLAG_KEY("image-gc-low-threshold", "imageGCLowThresholdPercent", NUMBER),
        FLAG_INERT("image-pull-progress-deadline"),
        FLAG_KEY("image-service-endpoint", "imageServiceEndpoint", TEXT),
        FLAG_INERT_BOOL("keep-terminated-pod-volumes"),
        FLAG_KEY("kernel-memcg-notification", "kernelMemcgNotification", BOOL),
        FLAG_KEY("kube-api-burst", "kubeAPIBurst", NUMBER),
        FLAG_KEY("kube-api-content-type", "contentType", TEXT),
        FLAG_KEY("kube-api-qps", "kubeAPIQPS", NUMBER),
        FLAG_KEY("kube-reserved", "kubeReserved", MAP),
        FLAG_KEY("kube-reserved-cgroup", "kubeReservedCgroup", TEXT),
        FLAG_ALONE("kubeconfig"),
        FLAG_KEY("kubelet-cgroups", "kubeletCgroups", TEXT),
        FLAG_KEY("local-storage-capacity-isolation", "localStorageCapacityIsolation", BOOL),
        FLAG_INERT("lock-file"),
        FLAG_KEY("logging-format", "logging.format", TEXT),
        FLAG_KEY("make-iptables-util-chains", "makeIPTablesUtilChains", BOOL),
        FLAG_KEY("manifest-url", "staticPodURL", TEXT),
        FLAG_INERT("manifest-url-header"),
        FLAG_KEY("max-open-files", "maxOpenFiles", NUMBER),
        FLAG_KEY("max-pods", "maxPods", NUMBER),
        FLAG_INERT("maximum-dead-containers"),
        FLAG_INERT("maximum-dead-containers-per-container"),
        FLAG_KEY("memory-manager-policy", "memoryManagerPolicy", TEXT),
        FLAG_INERT("minimum-container-ttl-duration"),
        FLAG_KEY("minimum-image-ttl-duration", "imageMinimumGCAge", TEXT),
        FLAG_INERT("network-plugin"),
        FLAG_INERT("network-plugin-mtu"),
        FLAG_ALONE("node-ip"),
        FLAG_ALONE("node-labels"),
        FLAG_KEY("node-status-max-images", "nodeStatusMaxImages", NUMBER),
        FLAG_KEY("node-status-update-frequency", "nodeStatusUpdateFrequency", TEXT),
        FLAG_KEY("oom-score-adj", "oomScoreAdj", NUMBER),
        FLAG_KEY("pod-cidr", "podCIDR", TEXT),
        FLAG_ALONE("pod-infra-container-image"),
        FLAG_KEY("pod-manifest-path", "staticPodPath", TEXT),
        FLAG_KEY("pod-max-pids", "podPidsLimit", NUMBER),
        FLAG_KEY("pods-per-core", "podsPerCore", NUMBER),
        FLAG_KEY("port", "port", NUMBER),
        FLAG_KEY("protect-kernel-defaults", "protectKernelDefaults", BOOL),
        FLAG_KEY("provider-id", "providerID", TEXT),
        FLAG_KEY("qos-reserved", "qosReserved", MAP),
        FLAG_KEY("read-only-port", "readOnlyPort", NUMBER),
        FLAG_KEY("register-node", "registerNode", BOOL),
        FLAG_INERT_BOOL("register-schedulable"),
        FLAG_KEY("register-with-taints", "registerWithTaints", TAINTS),
        FLAG_KEY("registry-burst", "registryBurst", NUMBER),
        FLAG_KEY("registry-qps", "registryPullQPS", NUMBER),
        FLAG_KEY("reserved-cpus", "reservedSystemCPUs", TEXT),
        FLAG_INERT("reserved-memory"),
        FLAG_KEY("resolv-conf", "resolvConf", TEXT),
        FLAG_ALONE("root-dir"),
        FLAG_KEY("rotate-certificates", "rotateCertificates", BOOL),
        FLAG_KEY("rotate-server-certificates", "serverTLSBootstrap", BOOL),
        FLAG_KEY("runonce", "runOnce", BOOL),
        FLAG_INERT("runtime-cgroups"),
        FLAG_KEY("runtime-request-timeout", "runtimeRequestTimeout", TEXT),
        FLAG_KEY("seccomp-default", "seccompDefault", BOOL),
        FLAG_KEY("serialize-image-pulls", "serializeImagePulls", BOOL),
        FLAG_KEY("streaming-connection-idle-timeout", "streamingConnectionIdleTimeout", TEXT),
        FLAG_KEY("sync-frequency", "syncFrequency", TEXT),
        FLAG_KEY("system-cgroups", "systemCgroups", TEXT),
        FLAG_KEY("system-reserved", "systemReserved", MAP),
        FLAG_KEY("system-reserved-cgroup", "systemReservedCgroup", TEXT),
        FLAG_KEY("tls-cert-file", "tlsCertFile", TEXT),
        FLAG_KEY("tls-cipher-suites", "tlsCipherSuites", LIST),
        FLAG_KEY("tls-min-version", "tlsMinVersion", TEXT),
        FLAG_KEY("tls-private-key-file", "tlsPrivateKeyFile", TEXT),
        FLAG_KEY("topology-manager-policy", "topologyManagerPolicy", TEXT),
        FLAG_KEY("topology-manager-policy-options", "topologyManagerPolicyOptions", MAP),
        FLAG_KEY("topology-manager-scope", "topologyManagerScope", TEXT),
        FLAG_KEY("v", "logging.verbosity", NUMBER),
        FLAG_KEY("volume-plugin-dir", "volumePluginDir", TEXT),
        FLAG_KEY("volume-stats-agg-period", "volumeStatsAggPeriod", TEXT),
};

/* The kubelet takes '_' for '-' in names. */
static const struct flag *find_flag(const char *name, size_t len)
{
        for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
                const char *known = flags[i].name;
                size_t at = 0;

                while (at < len && known[at] && (name[at] == known[at] || (name[at] == '_' && known[at] == '-')))
                        at++;
                if (at == len && known[at] == '\0')
                        return &flags[i];
        }
        return NULL;
}

/* What a message gives as the place: the flag, a constant of the table. */
static struct value *placed(struct value *v, const struct flag *flag)
{
        v->place.file = flag->shown;
        return v;
}

/* The next part of a comma-separated list; false at its end. */
static bool next_part(const char **rest, char **ret)
{
        size_t len;

        if (!*rest || **rest == '\0')
                return false;
        len = strcspn(*rest, ",");
        *ret = xstrndup(*rest, len);
        *rest += len;
        if (**rest == ',')
                (*rest)++;
        return true;
}

static struct value *parse_bool(const char *text)
{
        static const char *const yes[] = {"true", "TRUE", "True", "t", "T", "1"};
        static const char *const no[] = {"false", "FALSE", "False", "f", "F", "0"};

        for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
                if (str_eq(text, yes[i]))
                        return value_new_bool(true);
                if (str_eq(text, no[i]))
                        return value_new_bool(false);
        }
        return NULL;
}

static struct value *parse_number(const char *text)
{
        int64_t n;

        return str_to_i64(text, &n) == 0 ? value_new_int(n) : NULL;
}

static struct value *parse_map(const struct flag *flag, const char *text)
{
        struct value *map CLEANUP_VALUE = value_new_map();
        char separator = flag->type == FLAG_THRESHOLDS ? '<' : '=', *part;

        while (next_part(&text, &part)) {
                char *entry CLEANUP_FREE = part, *mark = strchr(entry, separator);
                struct value *item;

                if (!mark || mark == entry)
                        return NULL;
                *mark++ = '\0';
                item = flag->type == FLAG_BOOL_MAP ? parse_bool(mark) : value_new_string(mark);
                if (!item)
                        return NULL;
                (void)value_map_set(map, entry, placed(item, flag));
        }
        return TAKE_PTR(map);
}

static struct value *parse_taint(const struct flag *flag, char *text)
{
        struct value *taint = value_new_map();
        char *effect = strrchr(text, ':'), *value;

        if (effect)
                *effect++ = '\0';
        value = strchr(text, '=');
        if (value)
                *value++ = '\0';
        (void)value_map_set(taint, "key", placed(value_new_string(text), flag));
        if (value)
                (void)value_map_set(taint, "value", placed(value_new_string(value), flag));
        (void)value_map_set(taint, "effect", placed(value_new_string(effect ? effect : ""), flag));
        return placed(taint, flag);
}

static struct value *parse_list(const struct flag *flag, const char *text)
{
        struct value *list = value_new_list();
        char *part;

        while (next_part(&text, &part)) {
                char *item CLEANUP_FREE = part;

                value_list_add(list, flag->type == FLAG_TAINTS ? parse_taint(flag, item)
                                                               : placed(value_new_string(item), flag));
        }
        return list;
}

/* NULL: not of the flag's type. */
static struct value *parse_value(const struct flag *flag, const char *text)
{
        switch (flag->type) {
        case FLAG_BOOL:
                return parse_bool(text);
        case FLAG_NUMBER:
                return parse_number(text);
        case FLAG_LIST:
        case FLAG_TAINTS:
                return parse_list(flag, text);
        case FLAG_MAP:
        case FLAG_BOOL_MAP:
        case FLAG_THRESHOLDS:
                return parse_map(flag, text);
        case FLAG_TEXT:
        case FLAG_TYPE_MAX:
                break;
        }
        return value_new_string(text);
}

/* Sets a.b.c, making the maps on the way; a value that is no map there gives way to the flag. */
static void set_path(struct value *map, const char *path, const struct flag *flag, struct value *v)
{
        for (const char *dot; (dot = strchr(path, '.')); path = dot + 1) {
                char *key CLEANUP_FREE = xstrndup(path, (size_t)(dot - path));
                struct value *next = value_map_get(map, key);

                map = value_is(next, VALUE_MAP) ? next : value_map_set(map, key, placed(value_new_map(), flag));
        }
        (void)value_map_set(map, path, placed(v, flag));
}

static const char *type_text(enum flag_type type)
{
        static const char *const texts[FLAG_TYPE_MAX] = {
                [FLAG_TEXT] = "a text",
                [FLAG_BOOL] = "true or false",
                [FLAG_NUMBER] = "an integer",
                [FLAG_LIST] = "a list as a,b",
                [FLAG_MAP] = "a list as name=value,name=value",
                [FLAG_BOOL_MAP] = "a list as name=true,name=false",
                [FLAG_THRESHOLDS] = "a list as signal<value,signal<value",
                [FLAG_TAINTS] = "a list as key=value:effect",
        };

        return texts[type];
}

static void apply_flag(const struct flag *flag, const char *text, struct value *kubelet, struct value *own,
                       struct pod_findings *findings)
{
        struct value *v;

        if (flag->inert) {
                pod_findings_add(findings, false, "%s: " NO_EFFECT, flag->shown);
                return;
        }
        v = parse_value(flag, text);
        if (!v)
                pod_findings_add(findings, true, "%s: \"%.200s\" is not %s", flag->shown, text, type_text(flag->type));
        else if (flag->key)
                set_path(kubelet, flag->key, flag, v);
        else
                (void)value_map_set(own, flag->name, placed(v, flag));
}

static void report_unknown(const char *word, size_t len, bool fatal, struct pod_findings *findings)
{
        const char *names[ARRAY_SIZE(flags)], *nearest;
        char *name CLEANUP_FREE = xstrndup(word, len < 200 ? len : 200);

        for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
                names[i] = flags[i].name;
        nearest = str_did_you_mean(name, names, ARRAY_SIZE(names));
        if (nearest)
                pod_findings_add(findings, fatal, "--%s: unknown flag (did you mean \"--%s\"?)", name, nearest);
        else
                pod_findings_add(findings, fatal, "--%s: unknown flag", name);
}

void kubelet_flags_apply(const struct strv *words, bool strict, struct value *kubelet, struct value *own,
                         struct pod_findings *findings)
{
        for (size_t i = 0; i < words->len; i++) {
                const char *word = words->items[i], *name = word, *value;
                const struct flag *flag;
                size_t len;

                while (*name == '-' && name - word < 2)
                        name++;
                len = strcspn(name, "=");
                value = name[len] == '=' ? name + len + 1 : NULL;
                if (name == word || len == 0) {
                        pod_findings_add(findings, strict, "\"%.200s\" is not a flag", word);
                        continue;
                }
                flag = find_flag(name, len);
                if (!flag) {
                        report_unknown(name, len, strict, findings);
                        /* What follows may be its value. */
                        if (!strict && !value && i + 1 < words->len && words->items[i + 1][0] != '-')
                                i++;
                        continue;
                }
                if (!value && flag->type == FLAG_BOOL)
                        value = "true";
                else if (!value && i + 1 < words->len)
                        value = words->items[++i];
                if (value)
                        apply_flag(flag, value, kubelet, own, findings);
                else
                        pod_findings_add(findings, true, "%s: needs a value", flag->shown);
        }
}

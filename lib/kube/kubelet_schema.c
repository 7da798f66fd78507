/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "kube/kubelet_schema.h"

static const struct schema_field x509_schema_fields[] = {
        SCHEMA_OPT("clientCAFile", STRING, USED),
};
static SCHEMA_DEFINE(x509_schema, "KubeletX509Authentication");

static const struct schema_field webhook_authentication_schema_fields[] = {
        SCHEMA_SET("enabled", BOOL, USED),
        SCHEMA_OPT("cacheTTL", DURATION, USED),
};
static SCHEMA_DEFINE(webhook_authentication_schema, "KubeletWebhookAuthentication");

static const struct schema_field anonymous_schema_fields[] = {
        SCHEMA_SET("enabled", BOOL, USED),
};
static SCHEMA_DEFINE(anonymous_schema, "KubeletAnonymousAuthentication");

static const struct schema_field authentication_schema_fields[] = {
        SCHEMA_OBJ("x509", x509_schema, USED),
        SCHEMA_OBJ("webhook", webhook_authentication_schema, USED),
        SCHEMA_OBJ("anonymous", anonymous_schema, USED),
};
static SCHEMA_DEFINE(authentication_schema, "KubeletAuthentication");

static const struct schema_field webhook_authorization_schema_fields[] = {
        SCHEMA_OPT("cacheAuthorizedTTL", DURATION, USED),
        SCHEMA_OPT("cacheUnauthorizedTTL", DURATION, USED),
};
static SCHEMA_DEFINE(webhook_authorization_schema, "KubeletWebhookAuthorization");

static const struct schema_field authorization_schema_fields[] = {
        SCHEMA_OPT("mode", STRING, USED),
        SCHEMA_OBJ("webhook", webhook_authorization_schema, USED),
};
static SCHEMA_DEFINE(authorization_schema, "KubeletAuthorization");

static const struct schema_field memory_swap_schema_fields[] = {
        SCHEMA_OPT("swapBehavior", STRING, INERT, .harmless = "NoSwap"),
};
static SCHEMA_DEFINE(memory_swap_schema, "MemorySwapConfiguration");

static const struct schema_field logging_options_schema_fields[] = {
        SCHEMA_SET("text", ANY, CARRIED),
        SCHEMA_SET("json", ANY, CARRIED),
};
static SCHEMA_DEFINE(logging_options_schema, "FormatOptions");

static const struct schema_field logging_schema_fields[] = {
        SCHEMA_OPT("format", STRING, USED),
        SCHEMA_SET("flushFrequency", ANY, CARRIED), /* nothing is held back */
        SCHEMA_SET("verbosity", INT32, USED),
        SCHEMA_LIST("vmodule", ANY, INERT),
        SCHEMA_OBJ("options", logging_options_schema, CARRIED),
};
static SCHEMA_DEFINE(logging_schema, "LoggingConfiguration");

static const struct schema_field crash_loop_back_off_schema_fields[] = {
        SCHEMA_SET("maxContainerRestartPeriod", DURATION, USED),
};
static SCHEMA_DEFINE(crash_loop_back_off_schema, "CrashLoopBackOffConfig");

static const struct schema_field taint_schema_fields[] = {
        SCHEMA_SET("key", STRING, USED),
        SCHEMA_OPT("value", STRING, USED),
        SCHEMA_SET("effect", STRING, USED),
        SCHEMA_SET("timeAdded", STRING, CARRIED),
};
static SCHEMA_DEFINE(taint_schema, "Taint");

static const struct schema_field kubelet_configuration_schema_fields[] = {
        SCHEMA_OPT("kind", STRING, USED),
        SCHEMA_OPT("apiVersion", STRING, USED),
        SCHEMA_SET("enableServer", BOOL, USED),
        SCHEMA_OPT("staticPodPath", STRING, USED),
        SCHEMA_OPT("podLogsDir", STRING, USED),
        SCHEMA_OPT("syncFrequency", DURATION, INERT),
        SCHEMA_OPT("fileCheckFrequency", DURATION, USED),
        SCHEMA_OPT("httpCheckFrequency", DURATION, INERT),
        SCHEMA_OPT("staticPodURL", STRING, INERT),
        SCHEMA_MAP("staticPodURLHeader", ANY, INERT),
        SCHEMA_OPT("address", STRING, USED),
        SCHEMA_OPT("port", INT32, USED),
        SCHEMA_OPT("readOnlyPort", INT32, USED),
        SCHEMA_OPT("tlsCertFile", STRING, USED),
        SCHEMA_OPT("tlsPrivateKeyFile", STRING, USED),
        SCHEMA_LIST("tlsCipherSuites", STRING, INERT),
        SCHEMA_LIST("tlsCurvePreferences", INT32, INERT),
        SCHEMA_OPT("tlsMinVersion", STRING, USED),
        SCHEMA_OPT("rotateCertificates", BOOL, USED),
        SCHEMA_OPT("serverTLSBootstrap", BOOL, INERT),
        SCHEMA_OBJ("authentication", authentication_schema, USED),
        SCHEMA_OBJ("authorization", authorization_schema, USED),
        SCHEMA_SET("registryPullQPS", INT32, INERT),
        SCHEMA_OPT("registryBurst", INT32, INERT),
        SCHEMA_OPT("imagePullCredentialsVerificationPolicy", STRING, INERT),
        SCHEMA_LIST("preloadedImagesVerificationAllowlist", STRING, INERT),
        SCHEMA_SET("eventRecordQPS", INT32, INERT),
        SCHEMA_OPT("eventBurst", INT32, INERT),
        SCHEMA_SET("enableDebuggingHandlers", BOOL, USED),
        SCHEMA_OPT("enableContentionProfiling", BOOL, INERT),
        SCHEMA_SET("healthzPort", INT32, USED),
        SCHEMA_OPT("healthzBindAddress", STRING, USED),
        SCHEMA_SET("oomScoreAdj", INT32, INERT),
        SCHEMA_OPT("clusterDomain", STRING, USED),
        SCHEMA_LIST("clusterDNS", STRING, USED),
        SCHEMA_OPT("streamingConnectionIdleTimeout", DURATION, INERT),
        SCHEMA_OPT("nodeStatusUpdateFrequency", DURATION, USED),
        SCHEMA_OPT("nodeStatusReportFrequency", DURATION, USED),
        SCHEMA_OPT("nodeLeaseDurationSeconds", INT32, USED),
        SCHEMA_OPT("imageMinimumGCAge", DURATION, USED),
        SCHEMA_OPT("imageMaximumGCAge", DURATION, USED),
        SCHEMA_SET("imageGCHighThresholdPercent", INT32, USED),
        SCHEMA_SET("imageGCLowThresholdPercent", INT32, USED),
        SCHEMA_OPT("volumeStatsAggPeriod", DURATION, INERT),
        SCHEMA_OPT("kubeletCgroups", STRING, INERT),
        SCHEMA_OPT("systemCgroups", STRING, INERT),
        SCHEMA_OPT("cgroupRoot", STRING, USED),
        SCHEMA_SET("cgroupsPerQOS", BOOL, INERT, .harmless = "true"),
        SCHEMA_OPT("cgroupDriver", STRING, USED),
        SCHEMA_OPT("cpuManagerPolicy", STRING, INERT, .harmless = "none"),
        SCHEMA_SET("singleProcessOOMKill", BOOL, INERT, .harmless = "false"),
        SCHEMA_MAP("cpuManagerPolicyOptions", STRING, INERT),
        SCHEMA_OPT("cpuManagerReconcilePeriod", DURATION, INERT),
        SCHEMA_OPT("memoryManagerPolicy", STRING, INERT, .harmless = "None"),
        SCHEMA_OPT("topologyManagerPolicy", STRING, INERT, .harmless = "none"),
        SCHEMA_OPT("topologyManagerScope", STRING, INERT, .harmless = "container"),
        SCHEMA_MAP("topologyManagerPolicyOptions", STRING, INERT),
        SCHEMA_MAP("qosReserved", STRING, INERT),
        SCHEMA_OPT("runtimeRequestTimeout", DURATION, INERT),
        SCHEMA_OPT("hairpinMode", STRING, INERT),
        SCHEMA_OPT("maxPods", INT32, USED),
        SCHEMA_OPT("podCIDR", STRING, INERT),
        SCHEMA_SET("podPidsLimit", INT64, USED),
        SCHEMA_SET("resolvConf", STRING, USED),
        SCHEMA_OPT("runOnce", BOOL, INERT),
        SCHEMA_SET("cpuCFSQuota", BOOL, INERT, .harmless = "true"),
        SCHEMA_SET("cpuCFSQuotaPeriod", DURATION, INERT),
        SCHEMA_SET("nodeStatusMaxImages", INT32, INERT),
        SCHEMA_OPT("maxOpenFiles", INT64, INERT),
        SCHEMA_OPT("contentType", STRING, INERT),
        SCHEMA_SET("kubeAPIQPS", INT32, INERT),
        SCHEMA_OPT("kubeAPIBurst", INT32, INERT),
        SCHEMA_SET("serializeImagePulls", BOOL, INERT),
        SCHEMA_SET("maxParallelImagePulls", INT32, INERT),
        SCHEMA_MAP("evictionHard", STRING, USED),
        SCHEMA_MAP("evictionSoft", STRING, INERT),
        SCHEMA_MAP("evictionSoftGracePeriod", STRING, INERT),
        SCHEMA_OPT("evictionPressureTransitionPeriod", DURATION, INERT),
        SCHEMA_OPT("evictionMaxPodGracePeriod", INT32, INERT),
        SCHEMA_MAP("evictionMinimumReclaim", STRING, INERT),
        SCHEMA_SET("mergeDefaultEvictionSettings", BOOL, USED),
        SCHEMA_OPT("podsPerCore", INT32, INERT),
        SCHEMA_SET("enableControllerAttachDetach", BOOL, INERT, .harmless = "true"),
        SCHEMA_OPT("protectKernelDefaults", BOOL, INERT, .harmless = "false"),
        SCHEMA_SET("makeIPTablesUtilChains", BOOL, INERT, .harmless = "false"),
        SCHEMA_SET("iptablesMasqueradeBit", INT32, INERT),
        SCHEMA_SET("iptablesDropBit", INT32, INERT),
        SCHEMA_MAP("featureGates", BOOL, INERT),
        SCHEMA_SET("failSwapOn", BOOL, INERT, .harmless = "false"),
        SCHEMA_OBJ("memorySwap", memory_swap_schema, USED),
        SCHEMA_OPT("containerLogMaxSize", STRING, INERT),
        SCHEMA_SET("containerLogMaxFiles", INT32, INERT),
        SCHEMA_SET("containerLogMaxWorkers", INT32, INERT),
        SCHEMA_SET("containerLogMonitorInterval", DURATION, INERT),
        SCHEMA_OPT("configMapAndSecretChangeDetectionStrategy", STRING, INERT),
        SCHEMA_MAP("systemReserved", STRING, USED),
        SCHEMA_MAP("kubeReserved", STRING, USED),
        SCHEMA_OPT("reservedSystemCPUs", STRING, INERT),
        SCHEMA_OPT("showHiddenMetricsForVersion", STRING, INERT),
        SCHEMA_OPT("systemReservedCgroup", STRING, INERT),
        SCHEMA_OPT("kubeReservedCgroup", STRING, INERT),
        SCHEMA_LIST("enforceNodeAllocatable", STRING, INERT),
        SCHEMA_LIST("allowedUnsafeSysctls", STRING, USED),
        SCHEMA_OPT("volumePluginDir", STRING, INERT),
        SCHEMA_OPT("providerID", STRING, USED),
        SCHEMA_OPT("kernelMemcgNotification", BOOL, INERT),
        SCHEMA_OBJ("logging", logging_schema, USED),
        SCHEMA_SET("enableSystemLogHandler", BOOL, INERT, .harmless = "false"),
        SCHEMA_SET("enableSystemLogQuery", BOOL, INERT, .harmless = "false"),
        SCHEMA_OPT("shutdownGracePeriod", DURATION, INERT),
        SCHEMA_OPT("shutdownGracePeriodCriticalPods", DURATION, INERT),
        SCHEMA_LIST("shutdownGracePeriodByPodPriority", ANY, INERT),
        SCHEMA_OBJ("crashLoopBackOff", crash_loop_back_off_schema, USED),
        SCHEMA_LIST("reservedMemory", ANY, INERT),
        SCHEMA_SET("enableProfilingHandler", BOOL, INERT, .harmless = "false"),
        SCHEMA_SET("enableDebugFlagsHandler", BOOL, INERT, .harmless = "false"),
        SCHEMA_SET("seccompDefault", BOOL, INERT, .harmless = "false"),
        SCHEMA_SET("memoryThrottlingFactor", ANY, INERT),
        SCHEMA_OPT("memoryReservationPolicy", STRING, INERT, .harmless = "None"),
        SCHEMA_OBJ_LIST("registerWithTaints", taint_schema, USED),
        SCHEMA_SET("registerNode", BOOL, USED),
        SCHEMA_SET("tracing", ANY, INERT),
        SCHEMA_SET("localStorageCapacityIsolation", BOOL, INERT, .harmless = "false"),
        SCHEMA_SET("containerRuntimeEndpoint", STRING, INERT, .harmless = ""),
        SCHEMA_OPT("imageServiceEndpoint", STRING, INERT),
        SCHEMA_SET("failCgroupV1", BOOL, INERT, .harmless = "false"),
        SCHEMA_SET("userNamespaces", ANY, INERT),
};
SCHEMA_DEFINE(kubelet_configuration_schema, "KubeletConfiguration");

static const struct schema_field podwatch_configuration_schema_fields[] = {
        SCHEMA_OPT("kind", STRING, USED),
        SCHEMA_OPT("apiVersion", STRING, USED),
        SCHEMA_OPT("strict", BOOL, USED),
        SCHEMA_OPT("stateDirectory", STRING, USED),
        SCHEMA_OPT("runDirectory", STRING, USED),
        SCHEMA_OPT("socketGroup", STRING, USED),
        SCHEMA_OPT("dockerEndpoint", STRING, USED),
        SCHEMA_OPT("sandboxImage", STRING, USED),
        SCHEMA_SET("journalSize", QUANTITY, USED),
        SCHEMA_SET("revisionHistoryLimit", INT32, USED),
        SCHEMA_SET("revertAfter", DURATION, USED),
        SCHEMA_SET("removedHistoryLimit", INT32, USED),
        SCHEMA_SET("eachRemovalCounts", BOOL, USED),
};
SCHEMA_DEFINE(podwatch_configuration_schema, "PodwatchConfiguration");

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "kube/pod_schema.h"

static const struct schema_field host_path_schema_fields[] = {
        SCHEMA_SET("path", STRING, USED),
        SCHEMA_SET("type", STRING, USED),
};
static SCHEMA_DEFINE(host_path_schema, "HostPathVolumeSource");

static const struct schema_field empty_dir_volume_schema_fields[] = {
        SCHEMA_OPT("medium", STRING, USED),
        SCHEMA_SET("sizeLimit", QUANTITY, USED),
};
static SCHEMA_DEFINE(empty_dir_volume_schema, "EmptyDirVolumeSource");

static const struct schema_field key_to_path_schema_fields[] = {
        SCHEMA_SET("key", STRING, USED),
        SCHEMA_SET("path", STRING, USED),
        SCHEMA_SET("mode", INT32, USED),
};
static SCHEMA_DEFINE(key_to_path_schema, "KeyToPath");

static const struct schema_field secret_volume_schema_fields[] = {
        SCHEMA_OPT("secretName", STRING, USED),
        SCHEMA_OBJ_LIST("items", key_to_path_schema, USED),
        SCHEMA_SET("defaultMode", INT32, USED),
        SCHEMA_SET("optional", BOOL, USED),
};
static SCHEMA_DEFINE(secret_volume_schema, "SecretVolumeSource");

static const struct schema_field nfs_volume_schema_fields[] = {
        SCHEMA_SET("server", STRING, USED),
        SCHEMA_SET("path", STRING, USED),
        SCHEMA_OPT("readOnly", BOOL, USED),
};
static SCHEMA_DEFINE(nfs_volume_schema, "NFSVolumeSource");

static const struct schema_field object_field_selector_schema_fields[] = {
        SCHEMA_OPT("apiVersion", STRING, USED),
        SCHEMA_SET("fieldPath", STRING, USED),
};
SCHEMA_DEFINE(object_field_selector_schema, "ObjectFieldSelector");

static const struct schema_field resource_field_selector_schema_fields[] = {
        SCHEMA_OPT("containerName", STRING, USED),
        SCHEMA_SET("resource", STRING, USED),
        SCHEMA_OPT("divisor", QUANTITY, USED),
};
SCHEMA_DEFINE(resource_field_selector_schema, "ResourceFieldSelector");

static const struct schema_field downward_api_volume_file_schema_fields[] = {
        SCHEMA_SET("path", STRING, USED),
        SCHEMA_OBJ("fieldRef", object_field_selector_schema, USED),
        SCHEMA_OBJ("resourceFieldRef", resource_field_selector_schema, USED),
        SCHEMA_SET("mode", INT32, USED),
};
static SCHEMA_DEFINE(downward_api_volume_file_schema, "DownwardAPIVolumeFile");

static const struct schema_field downward_api_volume_schema_fields[] = {
        SCHEMA_OBJ_LIST("items", downward_api_volume_file_schema, USED),
        SCHEMA_SET("defaultMode", INT32, USED),
};
static SCHEMA_DEFINE(downward_api_volume_schema, "DownwardAPIVolumeSource");

static const struct schema_field config_map_volume_schema_fields[] = {
        SCHEMA_OPT("name", STRING, USED),
        SCHEMA_OBJ_LIST("items", key_to_path_schema, USED),
        SCHEMA_SET("defaultMode", INT32, USED),
        SCHEMA_SET("optional", BOOL, USED),
};
static SCHEMA_DEFINE(config_map_volume_schema, "ConfigMapVolumeSource");

static const struct schema_field secret_projection_schema_fields[] = {
        SCHEMA_OPT("name", STRING, USED),
        SCHEMA_OBJ_LIST("items", key_to_path_schema, USED),
        SCHEMA_SET("optional", BOOL, USED),
};
static SCHEMA_DEFINE(secret_projection_schema, "SecretProjection");

static const struct schema_field downward_api_projection_schema_fields[] = {
        SCHEMA_OBJ_LIST("items", downward_api_volume_file_schema, USED),
};
static SCHEMA_DEFINE(downward_api_projection_schema, "DownwardAPIProjection");

static const struct schema_field config_map_projection_schema_fields[] = {
        SCHEMA_OPT("name", STRING, USED),
        SCHEMA_OBJ_LIST("items", key_to_path_schema, USED),
        SCHEMA_SET("optional", BOOL, USED),
};
static SCHEMA_DEFINE(config_map_projection_schema, "ConfigMapProjection");

static const struct schema_field service_account_token_projection_schema_fields[] = {
        SCHEMA_OPT("audience", STRING, USED),
        SCHEMA_SET("expirationSeconds", INT64, USED),
        SCHEMA_SET("path", STRING, USED),
};
static SCHEMA_DEFINE(service_account_token_projection_schema, "ServiceAccountTokenProjection");

static const struct schema_field cluster_trust_bundle_projection_schema_fields[] = {
        SCHEMA_SET("name", STRING, USED),
        SCHEMA_SET("signerName", STRING, USED),
        SCHEMA_OBJ("labelSelector", label_selector_schema, USED),
        SCHEMA_SET("optional", BOOL, USED),
        SCHEMA_SET("path", STRING, USED),
};
static SCHEMA_DEFINE(cluster_trust_bundle_projection_schema, "ClusterTrustBundleProjection");

static const struct schema_field pod_certificate_projection_schema_fields[] = {
        SCHEMA_OPT("signerName", STRING, USED),
        SCHEMA_OPT("keyType", STRING, USED),
        SCHEMA_SET("maxExpirationSeconds", INT32, USED),
        SCHEMA_OPT("credentialBundlePath", STRING, USED),
        SCHEMA_OPT("keyPath", STRING, USED),
        SCHEMA_OPT("certificateChainPath", STRING, USED),
        SCHEMA_MAP("userAnnotations", STRING, USED),
};
static SCHEMA_DEFINE(pod_certificate_projection_schema, "PodCertificateProjection");

static const struct schema_field volume_projection_schema_fields[] = {
        SCHEMA_OBJ("secret", secret_projection_schema, USED),
        SCHEMA_OBJ("downwardAPI", downward_api_projection_schema, USED),
        SCHEMA_OBJ("configMap", config_map_projection_schema, USED),
        SCHEMA_OBJ("serviceAccountToken", service_account_token_projection_schema, REFUSED,
                   .note = "static pods may not reference serviceaccounts (via projected volumes)"),
        SCHEMA_OBJ("clusterTrustBundle", cluster_trust_bundle_projection_schema, REFUSED,
                   .note = "static pods may not reference clustertrustbundles"),
        SCHEMA_OBJ("podCertificate", pod_certificate_projection_schema, REFUSED,
                   .note = "static pods may not reference podcertificates"),
};
static SCHEMA_DEFINE(volume_projection_schema, "VolumeProjection");

static const struct schema_field projected_volume_schema_fields[] = {
        SCHEMA_OBJ_LIST("sources", volume_projection_schema, USED),
        SCHEMA_SET("defaultMode", INT32, USED),
};
static SCHEMA_DEFINE(projected_volume_schema, "ProjectedVolumeSource");

static const struct schema_field image_volume_schema_fields[] = {
        SCHEMA_OPT("reference", STRING, USED),
        SCHEMA_OPT("pullPolicy", STRING, USED),
};
static SCHEMA_DEFINE(image_volume_schema, "ImageVolumeSource");

static const struct schema_field volume_schema_fields[] = {
        SCHEMA_SET("name", STRING, USED),
        SCHEMA_OBJ("hostPath", host_path_schema, USED),
        SCHEMA_OBJ("emptyDir", empty_dir_volume_schema, USED),
        SCHEMA_SET("gcePersistentDisk", ANY, REFUSED),
        SCHEMA_SET("awsElasticBlockStore", ANY, REFUSED),
        SCHEMA_SET("gitRepo", ANY, REFUSED),
        SCHEMA_OBJ("secret", secret_volume_schema, USED),
        SCHEMA_OBJ("nfs", nfs_volume_schema, REFUSED),
        SCHEMA_SET("iscsi", ANY, REFUSED),
        SCHEMA_SET("glusterfs", ANY, REFUSED,
                   .note = "static pods may not reference endpoints (via glusterFS volumes)"),
        SCHEMA_SET("persistentVolumeClaim", ANY, REFUSED,
                   .note = "static pods may not reference persistentvolumeclaims"),
        SCHEMA_SET("rbd", ANY, REFUSED),
        SCHEMA_SET("flexVolume", ANY, REFUSED),
        SCHEMA_SET("cinder", ANY, REFUSED),
        SCHEMA_SET("cephfs", ANY, REFUSED),
        SCHEMA_SET("flocker", ANY, REFUSED),
        SCHEMA_OBJ("downwardAPI", downward_api_volume_schema, USED),
        SCHEMA_SET("fc", ANY, REFUSED),
        SCHEMA_SET("azureFile", ANY, REFUSED, .note = "static pods may not reference secrets (via azureFile volumes)"),
        SCHEMA_OBJ("configMap", config_map_volume_schema, USED),
        SCHEMA_SET("vsphereVolume", ANY, REFUSED),
        SCHEMA_SET("quobyte", ANY, REFUSED),
        SCHEMA_SET("azureDisk", ANY, REFUSED),
        SCHEMA_SET("photonPersistentDisk", ANY, REFUSED),
        SCHEMA_OBJ("projected", projected_volume_schema, USED),
        SCHEMA_SET("portworxVolume", ANY, REFUSED),
        SCHEMA_SET("scaleIO", ANY, REFUSED),
        SCHEMA_SET("storageos", ANY, REFUSED),
        SCHEMA_SET("csi", ANY, REFUSED, .note = "static pods may not reference csidrivers (via CSI volumes)"),
        SCHEMA_SET("ephemeral", ANY, REFUSED,
                   .note = "static pods may not reference persistentvolumeclaims (via ephemeral volumes)"),
        SCHEMA_OBJ("image", image_volume_schema, REFUSED),
};
SCHEMA_DEFINE(volume_schema, "Volume");

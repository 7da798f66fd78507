/* SPDX-License-Identifier: Apache-2.0
 *
 * The verbs below images, and kubeadm's `config images`.
 */
#include <stddef.h>

#include "genphase.h"
#include "images.h"
#include "phase/config_verbs.h"

static int run_list(void *userdata, const struct strv *args)
{
        struct genphase *g = userdata;

        (void)args;
        g->options.prints = true;
        return genphase_run_named(g, "could not convert cfg to an internal cfg", phase_config_images_list);
}

static int run_pull(void *userdata, const struct strv *args)
{
        return images_pull(userdata, args);
}

static int run_build(void *userdata, const struct strv *args)
{
        return images_build(userdata, args);
}

static int run_load(void *userdata, const struct strv *args)
{
        return images_load(userdata, args);
}

/* clang-format off */
#define OPTIONS_IMAGES OPTION_CONFIG, OPTION_KUBERNETES_VERSION, OPTION_IMAGE_REPOSITORY, OPTION_FEATURE_GATES
#define OPTIONS_DOCKER \
        OPTION_TEXT("docker-host", docker_host, "URL", "the Docker daemon (default $DOCKER_HOST, else its usual socket)"), \
        OPTION_DRY_RUN, OPTION_ACTIONS_OUTPUT

static const struct cli_option list_options[] = {
        OPTIONS_IMAGES,
        OPTIONS_PRINTER(options.output),
        {0}
};
static const struct cli_option pull_options[] = {
        OPTIONS_IMAGES, OPTIONS_DOCKER, OPTION_IGNORED("cri-socket", "SOCKET", "taken and not used: Docker is asked"), {0}
};
static const struct cli_option build_options[] = {
        OPTION_TEXT("from", images_from, "DIR", "directory with the programs: kube-apiserver, etcd and so on"),
        OPTIONS_IMAGES, OPTIONS_DOCKER, {0}
};
static const struct cli_option load_options[] = {OPTIONS_DOCKER, {0}};

#define VERB_LIST \
        {.name = "list", .help = "Print the images that the control plane needs", .options = list_options, .run = run_list}
#define VERB_PULL \
        {.name = "pull", .help = "Pull the images that the control plane needs and Docker does not have", .options = pull_options, \
         .run = run_pull, \
         .text = "Credentials are taken from $DOCKER_CONFIG/config.json or ~/.docker/config.json."}

const struct cli_verb config_images_verbs[] = {VERB_LIST, VERB_PULL, {0}};
const struct cli_verb images_verbs[] = {
        VERB_LIST,
        VERB_PULL,
        {.name = "build", .help = "Make the images from programs of this machine", .usage = "[COMPONENT]...", .max_args = -1,
         .options = build_options, .run = run_build,
         .text = "Each image holds its program from DIR, CA certificates and a passwd file; that of kube-proxy also iptables, nft "
                 "and conntrack of this machine with the libraries that they load. They get the names that `images list` prints. "
                 "Without pause in DIR its image is made of genphase's own. CoreDNS is left out where DIR does not have it. With "
                 "COMPONENTs (kube-proxy, etcd, ...) only their images are made."},
        {.name = "load", .help = "Load the images of an archive made by docker save", .usage = "FILE...", .min_args = 1,
         .max_args = -1, .options = load_options, .run = run_load},
        {0}
};
/* clang-format on */

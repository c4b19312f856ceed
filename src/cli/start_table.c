#include "cli/start_table.h"

#include "cli/console.h"
#include "cli/launcher.h"

#include "base/show.h"

#include <lockstep/compute.h>
#include <lockstep/settings.h>
#include <lockstep/version.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A sequence is steps x features, all else channels x height x width. */
static void print_shape(ls_shape shape, bool sequence)
{
    ls_print(stderr, "%s",
             sequence ? ls_sized_steps(shape.height, shape.channels).text
                      : ls_sized(shape.channels, shape.height, shape.width).text);
}

/* Prints what a row is: the size of its inputs, or its tokens. */
static void print_inputs(const ls_run_info *info)
{
    const ls_dataset_info *d = info->dataset;
    if (d->vocabulary > 0)
        ls_print(stderr, "%s of a vocabulary of %s", ls_counted(d->features, "token").text,
                 ls_grouped(d->vocabulary).text);
    else
        print_shape((ls_shape){d->channels, d->height, d->width}, false);
    if (d->vocabulary == 0 && d->element != LS_U8)
        ls_print(stderr, " of %s%s", ls_element_name(d->element), d->rounded ? " (rounded)" : "");
    if (d->ragged)
        ls_print(stderr, ", with lengths");
}

static void print_data(const ls_run_info *info)
{
    const ls_dataset_info *d = info->dataset;
    ls_print(stderr, "  data      %s%s%s: %s training and %s %s, ", d->name,
             *d->name != '\0' ? ", " : "", info->config->data, ls_grouped(d->rows[LS_TRAIN]).text,
             ls_grouped(d->rows[LS_VALIDATION]).text,
             ls_plural(d->rows[LS_VALIDATION], "validation row").text);
    print_inputs(info);
    ls_print(stderr, ", %s%s\n",
             d->reconstructs  ? "which are the targets, too"
             : d->classes > 0 ? ls_counted(d->classes, "class").text
                              : ls_counted(d->values, "target value").text,
             ls_dataset_by_step(d) ? " in each step" : "");
}

/* Where a layer reads another value than the output of the layer before it. */
static void print_sources(const ls_network *network, int at)
{
    const ls_layer_info layer = ls_network_layer(network, at);
    for (int k = 0; k < layer.inputs; k++)
        if (k > 0 || layer.input[k] != at - 1)
            ls_print(stderr, ", %s %s", k > 0 ? "with" : "from",
                     layer.input[k] < 0 ? "the input"
                                        : ls_network_layer(network, layer.input[k]).name);
}

/* Returns the width of the column of words: that of the longest. */
static int word_columns(const ls_network *network)
{
    int most = 13;
    for (int i = 0; i < ls_network_layers(network); i++) {
        const int columns = (int)strlen(ls_network_layer(network, i).word);
        most = columns > most ? columns : most;
    }
    return most;
}

/* Prints the layers of a network; a long title has a line of its own. */
static void print_network(const ls_network *network, const char *title)
{
    const int columns = word_columns(network);
    const bool apart = strlen(title) > 9;
    if (apart)
        ls_print(stderr, "  %s\n", title);
    for (int i = 0; i < ls_network_layers(network); i++) {
        const ls_layer_info layer = ls_network_layer(network, i);
        ls_print(stderr, "  %-10s%-*s ", i == 0 && !apart ? title : "", columns, layer.word);
        print_shape(layer.in[0], layer.in_sequence[0]);
        ls_print(stderr, " -> ");
        print_shape(layer.out, layer.out_sequence);
        if (layer.parameters > 0)
            ls_print(stderr, ", %s %s", ls_grouped(layer.parameters).text,
                     ls_plural(layer.parameters, "parameter").text);
        print_sources(network, i);
        ls_print(stderr, "\n");
    }
    ls_print(stderr, "  %-10s%s parameters in total\n", "",
             ls_grouped(ls_network_size(network)).text);
}

/* Prints the learning-rate schedule, unless it is constant. */
static void print_schedule(const ls_run_info *info)
{
    const ls_schedule_config *s = &info->config->schedule;
    const bool scaled = s->scaling != LS_LR_AS_GIVEN;
    if (s->kind == LS_SCHEDULE_CONSTANT && s->warmup == 0 && !scaled)
        return;
    ls_print(stderr, "  %-10sschedule %s", "", ls_schedule_name(s->kind));
    if (s->warmup > 0)
        ls_print(stderr, ", warmup of %g %s", s->warmup,
                 ls_plural(s->warmup == 1 ? 1 : 2, "epoch").text);
    if (scaled)
        ls_print(stderr, ", lr scaled from %g for a batch of %lld", info->config->lr,
                 (long long)s->base_batch);
    ls_print(stderr, "\n");
}

/* Prints where the rows' weights come from, if they have any. */
static void print_weights(const ls_train_config *c)
{
    if (*c->weights != '\0')
        ls_print(stderr, "  %-10srows weighted by %s\n", "", c->weights);
    if (strcmp(c->class_weights, "none") != 0)
        ls_print(stderr, "  %-10sclass weights %s\n", "", c->class_weights);
}

/* Prints how the two networks of a GAN learn. */
static void print_game(const ls_train_config *c)
{
    ls_print(stderr, "  %-10s%s of noise", "", ls_counted(c->latent, "number").text);
    if (c->conditional)
        ls_print(stderr, " and a class");
    if (c->discriminator_lr > 0)
        ls_print(stderr, ", lr %g of the discriminator", c->discriminator_lr);
    if (c->discriminator_steps > 1)
        ls_print(stderr, ", which learns %lld steps for one of the generator",
                 (long long)c->discriminator_steps);
    ls_print(stderr, "\n");
}

static void print_training(const ls_run_info *info)
{
    const ls_train_config *c = info->config;
    char loss[64];
    const char *name = info->discriminator != NULL ? "adversarial-loss" : "loss";
    ls_setting_format(ls_setting_find(name, strlen(name)), c, loss, sizeof loss);
    ls_print(stderr, "  training  %s, %s, lr %g, global batch %lld (%s an epoch), %s, seed %llu\n",
             loss, ls_optimizer_name(c->optimizer.kind), info->lr, (long long)c->batch,
             ls_counted(info->steps_per_epoch, "step").text, ls_counted(c->epochs, "epoch").text,
             (unsigned long long)c->seed);
    print_schedule(info);
    if (info->discriminator != NULL)
        print_game(c);
    print_weights(c);
    if (info->augmented)
        ls_print(stderr, "  %-10saugmented by %s\n", "", c->augment);
    if (info->corrupted)
        ls_print(stderr, "  %-10sinputs corrupted by %s%s\n", "", c->corrupt,
                 info->dataset->reconstructs ? ", in validation, too" : "");
    if (c->optimizer.clip_norm > 0)
        ls_print(stderr, "  %-10sgradients clipped at norm %g\n", "", c->optimizer.clip_norm);
    if (c->optimizer.ema > 0)
        ls_print(stderr, "  %-10sevaluated with a moving average of the parameters, decay %g\n", "",
                 c->optimizer.ema);
    ls_print(stderr, "  %-10swatching %s", "", info->monitor);
    if (c->patience > 0)
        ls_print(stderr, ", stopping after %s without improvement",
                 ls_counted(c->patience, "epoch").text);
    ls_print(stderr, "\n");
}

/* Prints a hint if an epoch is a single, smaller step. */
static void print_batch(const ls_run_info *info)
{
    const int64_t batch = info->config->batch, rows = info->dataset->rows[LS_TRAIN];
    if (batch > rows)
        ls_print(stderr,
                 "  hint      --batch %lld is above the %s training rows: an epoch is one step\n",
                 (long long)batch, ls_grouped(rows).text);
}

static const char *host_of(const ls_topology *t, int node)
{
    int r = 0;
    while (t->placement[r].node != node)
        r++;
    return t->placement[r].host;
}

/* Prints the ranks of a node, its cores and threads. */
static void print_node(const ls_topology *t, int node)
{
    int ranks = 0, first = -1, last = -1;
    for (int r = 0; r < t->ranks; r++)
        if (t->placement[r].node == node) {
            first = first < 0 ? r : first;
            last = r;
            ranks++;
        }
    const ls_placement *placement = &t->placement[first];
    ls_print(stderr, "  %-10s%s: %s", node == 0 ? "ranks" : "", placement->host,
             ls_counted(ranks, "rank").text);
    if (ranks > 1)
        ls_print(stderr, " (%d..%d)", first, last);
    ls_print(stderr, ", %son %s%s with %s\n", ranks > 1 ? "each " : "",
             ls_counted(placement->cores, "core").text,
             placement->alone ? (placement->bound ? " of its own" : "") : " that ranks share",
             ls_counted(placement->threads, "thread").text);
}

/* Prints a hint if most cores of the machine are idle. */
static void print_idle(const ls_topology *t)
{
    const ls_placement *placement = &t->placement[0];
    if (t->ranks == 1 && ls_launcher_size() == 0 && 2 * placement->threads <= placement->cores)
        ls_print(stderr,
                 "  hint      %d of %d cores used: `mpirun -n %d lockstep train ...` uses all\n",
                 placement->threads, placement->cores, placement->cores);
}

/* Prints a hint if the user's environment asks for slow kernels. */
static void print_kernels(void)
{
    const char *set = ls_compute_slow_setting(getenv("OPENBLAS_CORETYPE"));
    if (*set != '\0')
        ls_print(stderr, "  hint      OPENBLAS_CORETYPE=%s is set: unset it, %s is faster here\n",
                 set, ls_compute_better_kernels());
}

static void print_ranks(const ls_run_info *info)
{
    const ls_topology *t = info->topology;
    for (int n = 0; n < t->nodes; n++)
        print_node(t, n);
    print_idle(t);
    print_kernels();
    if (t->oversubscribed_node >= 0)
        ls_print(stderr, "  warning   more threads than cores on %s: slow, for tests only\n",
                 host_of(t, t->oversubscribed_node));
}

void ls_start_table_print(const ls_run_info *info)
{
    ls_print(stderr, "lockstep %s\n", LS_VERSION);
    print_data(info);
    if (info->discriminator != NULL) {
        print_network(info->network, "generator");
        print_network(info->discriminator, "discriminator");
    } else {
        print_network(info->network, "network");
    }
    print_training(info);
    print_batch(info);
    print_ranks(info);
    if (*info->config->run != '\0')
        ls_print(stderr, "  run       %s\n", info->config->run);
    else
        ls_print(stderr, "  run       no --run folder: nothing is saved\n");
    if (*info->resumed != '\0') {
        ls_print(stderr, "  resumed   %s, %s", info->resumed,
                 ls_counted(info->epochs_done, "epoch").text);
        if (info->steps_done > 0)
            ls_print(stderr, " and %s of %lld", ls_counted(info->steps_done, "step").text,
                     (long long)info->steps_per_epoch);
        ls_print(stderr, " done\n");
    }
    ls_print(stderr, "  ready     after %.2f s\n", info->setup_seconds);
}

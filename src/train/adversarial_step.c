/* The steps of a GAN's two networks. */
#include "train/adversarial_state.h"

#include "base/rng.h"
#include "nn/pass.h"
#include "train/generator.h"
#include "train/replica_state.h"

#include <string.h>

/* Returns the key of a pass over the generator's and the discriminator's layers: the passes of a
 * step have different ones. */
static uint64_t key_of(uint64_t key, ls_side side)
{
    return ls_rng_at(key, (uint64_t)side);
}

/* Returns a pass of the discriminator over rows of one side. */
static ls_pass judging_pass(const ls_pass *of_step, const ls_adversarial_terms *terms)
{
    ls_pass pass = *of_step;
    pass.key = key_of(of_step->key, terms->side);
    pass.slot = terms->side == LS_SIDE_DATA ? 0 : 1;
    pass.loss = (ls_pass_loss){ls_adversarial_score, terms};
    return pass;
}

void ls_adversarial_follow(ls_batch *noise, const ls_batch *rows, int classes)
{
    noise->rows = rows->rows;
    memcpy(noise->ids, rows->ids, (size_t)rows->rows * sizeof *noise->ids);
    if (classes > 0)
        memcpy(noise->labels, rows->labels, (size_t)rows->rows * sizeof *noise->labels);
}

ls_batch ls_adversarial_as_inputs(const ls_batch *noise, const float *x, int64_t features)
{
    return (ls_batch){.rows = noise->rows,
                      .capacity = noise->capacity,
                      .features = features,
                      .x = (float *)(uintptr_t)x,
                      .labels = noise->labels,
                      .ids = noise->ids};
}

/* Generates as many rows as the discriminator's batch has, of the same ids and classes: the judge's
 * batch. Collective on the ranks of the pass.
 * pass  of the generator */
static void generate(ls_adversarial *a, const ls_pass *pass)
{
    const ls_batch *data = ls_replica_batch(a->discriminator);
    ls_batch *noise = ls_replica_batch(a->generator);
    ls_adversarial_follow(noise, data, a->of_data.classes);
    ls_generator_fill_noise(noise, pass->key, a->of_data.classes);
    const float *rows = ls_network_forward_training(
        ls_replica_network(a->generator), ls_reducer_params(a->generator->reducer), noise, pass);
    a->generated = ls_adversarial_as_inputs(noise, rows, data->features);
}

static const float *discriminator_params(const ls_adversarial *a)
{
    return ls_reducer_params(a->discriminator->reducer);
}

/* The discriminator's step: both forward passes. Collective. */
static ls_score discriminator_forward(void *user, const ls_pass *pass)
{
    ls_adversarial *a = user;
    ls_replica *d = a->discriminator;
    const ls_pass data = judging_pass(pass, &a->of_data);
    ls_score score = ls_network_loss(d->network, discriminator_params(a), d->batch, &data);
    const ls_pass noise = ls_replica_pass(a->generator, key_of(pass->key, LS_SIDE_GENERATED), NULL);
    generate(a, &noise);
    const ls_pass generated = judging_pass(pass, &a->of_generated);
    const ls_score other =
        ls_network_loss(a->judge, discriminator_params(a), &a->generated, &generated);
    ls_score_add(&score, &other);
    return score;
}

/* Gradient hook: adds the gradients of the earlier pass to those that are final now. */
static void adding_grads_ready(void *user, int64_t from)
{
    ls_adding *a = user;
    for (int64_t i = from; i < a->from; i++)
        a->grads[i] += a->earlier[i];
    a->from = from;
    ls_grads_ready(a->hook, from);
}

/* The discriminator's step: both backward passes, whose gradients are added: by the reducer if it
 * adds micro-batches, else here. Collective. */
static void discriminator_backward(void *user, const ls_pass *pass, float *grads)
{
    ls_adversarial *a = user;
    ls_replica *d = a->discriminator;
    ls_pass data = judging_pass(pass, &a->of_data);
    ls_pass generated = judging_pass(pass, &a->of_generated);
    a->generated.rows = d->batch->rows;
    if (pass->block > 0) {
        ls_network_backward(d->network, discriminator_params(a), d->batch, &data, grads);
        ls_next_micro_batch(pass->grad_hook, ls_network_size(d->network));
    } else {
        data.grad_hook = (ls_grad_hook){0};
        ls_network_backward(d->network, discriminator_params(a), d->batch, &data, a->earlier);
        a->adding = (ls_adding){.hook = pass->grad_hook,
                                .grads = grads,
                                .earlier = a->earlier,
                                .from = ls_network_size(d->network)};
        generated.grad_hook = (ls_grad_hook){.call = adding_grads_ready, .user = &a->adding};
    }
    ls_network_backward(a->judge, discriminator_params(a), &a->generated, &generated, grads);
}

/* The generator's step: forward through both networks. Collective. */
static ls_score generator_forward(void *user, const ls_pass *pass)
{
    ls_adversarial *a = user;
    generate(a, pass);
    ls_pass judging = ls_replica_pass(a->discriminator, pass->key, pass->rest);
    judging.grad_hook = (ls_grad_hook){0};
    judging = judging_pass(&judging, &a->of_generator);
    return ls_network_loss(a->judge, discriminator_params(a), &a->generated, &judging);
}

/* The generator's step: back through the discriminator, which is left alone, to the generator's
 * gradient. Collective. */
static void generator_backward(void *user, const ls_pass *pass, float *grads)
{
    ls_adversarial *a = user;
    ls_replica *g = a->generator;
    ls_pass judging = ls_replica_pass(a->discriminator, pass->key, NULL);
    judging = judging_pass(&judging, &a->of_generator);
    judging.frozen = true;
    judging.input_gradient = a->dx;
    a->generated.rows = g->batch->rows;
    ls_network_backward(a->judge, discriminator_params(a), &a->generated, &judging, NULL);
    ls_pass generating = *pass;
    generating.output_gradient = a->dx;
    ls_network_backward(g->network, ls_reducer_params(g->reducer), g->batch, &generating, grads);
}

/* The generator's step, after the discriminator's. Collective. */
static ls_status step_generator(ls_trainer *t, ls_step_io *of_step, bool *skipped)
{
    ls_step_io io = {.lr = ls_trainer_rate(t, t->config->lr, t->progress.step),
                     .key = of_step->key,
                     .last = of_step->last,
                     .checks = of_step->checks,
                     .passes = {t->adversarial, generator_forward, generator_backward}};
    const ls_status status = ls_trainer_learn(t, LS_MODEL, &io, skipped);
    ls_score *score = &of_step->control.score;
    score->generator_loss = io.control.score.loss;
    score->generated = (double)io.control.score.rows;
    ls_phases_add(&of_step->phases, &io.phases);
    return status;
}

ls_status ls_adversarial_step(ls_trainer *t, ls_step_io *io, bool *skipped)
{
    const ls_train_config *c = t->config;
    const bool turn = (t->progress.optimizer_steps + 1) % c->discriminator_steps == 0;
    if (c->discriminator_lr > 0)
        io->lr = ls_trainer_rate(t, c->discriminator_lr, t->progress.step);
    io->passes = (ls_step_passes){t->adversarial, discriminator_forward, discriminator_backward};
    const ls_status status = ls_trainer_learn(t, LS_DISCRIMINATOR, io, skipped);
    if (status != LS_OK || !turn)
        return status;
    if (*skipped) { /* the generator's step is skipped, too, and counted */
        ls_optimizer *optimizer = ls_replica_optimizer(t->learner[LS_MODEL].replica);
        ls_optimizer_set_steps(optimizer, ls_optimizer_steps(optimizer) + 1);
        return LS_OK;
    }
    return step_generator(t, io, skipped);
}

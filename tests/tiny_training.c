#include "tiny_training.h"

#include "base/file.h"
#include "base/memory.h"
#include "test.h"

#include <dirent.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

static const ls_optimizer_config adam = {
    .kind = LS_ADAM, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .ema = 0.9};

void tiny_training_make(tiny_training *w, const char *model, uint64_t seed)
{
    memset(w, 0, sizeof *w);
    assert_ok(ls_network_create(&w->network, model, (ls_shape){1, 3, 2}, 4, LS_CROSS_ENTROPY, 1));
    const int64_t size = ls_network_size(w->network);
    int rows;
    const ls_param *table = ls_network_params(w->network, &rows);
    assert_ok(ls_optimizer_create(&w->optimizer, &adam, table, rows));
    w->params = ls_alloc(2 * size, sizeof *w->params);
    ls_network_initialise(w->network, seed, w->params);
    ls_network_initialise(w->network, seed + 1, w->params + size);
    ls_optimizer_start(w->optimizer, w->params);
    for (int i = 0; i < 5; i++)
        ls_optimizer_step(w->optimizer, w->params + size, 1, 0.01, w->params);
    for (int i = 0; i < TINY_TRAINING_EPOCHS; i++)
        w->history[i] = (ls_metrics){.epoch = i + 1, .loss = 0.5 / (i + 1), .val_loss = NAN};
    w->info = (ls_model_info){.run = "a-run",
                              .model = (char *)model,
                              .compute = "none",
                              .loss = LS_CROSS_ENTROPY,
                              .huber = 1,
                              .classes = 4,
                              .input = {1, 3, 2},
                              .mean = 0.25,
                              .std = 0.5,
                              .dataset = "set",
                              .fingerprint = UINT64_C(0xfedcba9876543210),
                              .validation_fingerprint = 0xfedc,
                              .knows_validation = true,
                              .has_border = true,
                              .border = 0.375,
                              .config = "seed = 1\nlr = 0.01\n"};
    w->progress = (ls_progress){.epoch = TINY_TRAINING_EPOCHS,
                                .optimizer_steps = 5,
                                .best_steps = 3,
                                .early_stop = {.best_epoch = 2, .best = 0.1 + 0.2, .waited = 1}};
}

static const char path_of_folder[] = "run/checkpoints";
static ls_checkpoint_folder *folder;

void tiny_training_free(tiny_training *w)
{
    ls_checkpoint_folder_close(&folder);
    ls_network_destroy(&w->network);
    ls_optimizer_destroy(&w->optimizer);
    ls_free(w->params);
}

ls_status tiny_training_save(tiny_training *w, int64_t steps, bool best, int64_t keep)
{
    w->progress.optimizer_steps = steps;
    w->progress.early_stop.best_epoch = best ? TINY_TRAINING_EPOCHS : TINY_TRAINING_EPOCHS - 1;
    if (best)
        w->progress.best_steps = steps;
    ls_state state = {
        .info = &w->info,
        .progress = &w->progress,
        .history = w->history,
        .trained = {{.network = w->network, .params = w->params, .optimizer = w->optimizer}}};
    if (folder == NULL)
        assert_ok(ls_checkpoint_folder_open(&folder, path_of_folder));
    return ls_checkpoint_save(folder, &state, (ls_keep){.newest = keep});
}

ls_status tiny_training_rewind(const char *run, const ls_progress *progress)
{
    ls_checkpoint_folder_close(&folder);
    ls_status status = ls_checkpoint_folder_open(&folder, path_of_folder);
    return status == LS_OK ? ls_checkpoint_rewind(folder, run, progress) : status;
}

void empty_folder(const char *path)
{
    char member[512];
    ls_checkpoint_folder_close(&folder);
    assert_ok(ls_make_folder(path));
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        snprintf(member, sizeof member, "%s/%s", path, e->d_name);
        unlink(member);
    }
    closedir(dir);
}

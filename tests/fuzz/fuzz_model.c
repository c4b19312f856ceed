/* Any text as a model string: refused in one line, or compiled; a small network computes a pass. */
#include <lockstep/network.h>

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS = 3, FEATURES = 6 };

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static ls_network *make_network(const char *model, ls_loss loss, int64_t rows)
{
    ls_network *network = NULL;
    const ls_status status = ls_network_create(&network, model, (ls_shape){1, 3, 2}, 4, loss, rows);
    if (status != LS_OK && (status != LS_ERR_USAGE || strchr(ls_error_text(), '\n') != NULL))
        abort();
    return network;
}

/* Computes the gradients of parameters and inputs, and an evaluation. */
static void compute_pass(ls_network *network, float *params, float *grads)
{
    ls_batch *batch;
    float dx[ROWS * FEATURES];
    if (ls_batch_create(&batch, ROWS, FEATURES, 0) != LS_OK)
        abort();
    batch->rows = ROWS;
    for (int i = 0; i < ROWS * FEATURES; i++)
        batch->x[i] = (float)(i % 5) - 2;
    ls_network_initialise(network, 1, params);
    (void)ls_network_gradient(network, params, batch, grads, dx);
    (void)ls_network_evaluate(network, params, batch, NULL);
    ls_batch_destroy(&batch);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    enum { SMALL = 10000 };
    static float params[SMALL], grads[SMALL];
    char *model = ls_alloc((int64_t)size + 1, 1);
    memcpy(model, data, size);
    for (int loss = LS_CROSS_ENTROPY; loss <= LS_MSE; loss++) {
        ls_network *network = make_network(model, (ls_loss)loss, 0);
        const bool small = network != NULL && ls_network_size(network) <= SMALL;
        ls_network_destroy(&network);
        if (!small)
            continue;
        network = make_network(model, (ls_loss)loss, ROWS);
        compute_pass(network, params, grads);
        ls_network_destroy(&network);
    }
    ls_free(model);
    return 0;
}

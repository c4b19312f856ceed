/* A model string of any text: looked at, which takes no memory to speak of, and if it is small made
 * for some rows. */
#include <lockstep/network.h>

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static ls_network *make(const char *model, ls_loss loss, int64_t rows)
{
    ls_network *network = NULL;
    const ls_status status = ls_network_create(&network, model, (ls_shape){1, 3, 2}, 4, loss, rows);
    if (status != LS_OK && (status != LS_ERR_USAGE || strchr(ls_error_text(), '\n') != NULL))
        abort();
    return network;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    enum { SMALL = 10000 };
    float params[SMALL];
    char *model = ls_alloc((int64_t)size + 1, 1);
    memcpy(model, data, size);
    for (int loss = LS_CROSS_ENTROPY; loss <= LS_MSE; loss++) {
        ls_network *network = make(model, (ls_loss)loss, 0);
        const bool small = network != NULL && ls_network_size(network) <= SMALL;
        ls_network_destroy(&network);
        if (!small)
            continue;
        network = make(model, (ls_loss)loss, 3);
        ls_network_initialise(network, 1, params);
        ls_network_destroy(&network);
    }
    ls_free(model);
    return 0;
}

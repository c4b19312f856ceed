/* Any text as the words of --augment: refused in one line, or applied to a small image, which stays
 * within the range of the original and the background. */
#include <lockstep/augment.h>

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    enum { PIXELS = 2 * 5 * 4 };
    ls_augment *augment = NULL;
    ls_batch *batch = NULL;
    char *text = ls_alloc((int64_t)size + 1, 1);
    memcpy(text, data, size);
    const ls_status status = ls_augment_create(&augment, text, (ls_shape){2, 5, 4});
    if (status != LS_OK && (status != LS_ERR_USAGE || strchr(ls_error_text(), '\n') != NULL))
        abort();
    if (ls_batch_create(&batch, 1, PIXELS, 0) != LS_OK)
        abort();
    batch->rows = 1;
    for (int i = 0; i < PIXELS; i++)
        batch->x[i] = (float)(i % 7) / 7;
    ls_augment_apply(augment, 1, 2, 1, batch);
    for (int i = 0; i < PIXELS; i++)
        if (!(batch->x[i] >= 0 && batch->x[i] <= 1))
            abort();
    ls_batch_destroy(&batch);
    ls_augment_destroy(&augment);
    ls_free(text);
    return 0;
}

#include "cli/confusion.h"

/* Inserts a pair into the sorted list; pairs of equal count keep the order of the matrix. */
static int insert_pair(ls_confused *out, int found, int most, ls_confused pair)
{
    int at = found < most ? found : most - 1;
    if (found == most && out[at].rows >= pair.rows)
        return found;
    for (; at > 0 && out[at - 1].rows < pair.rows; at--)
        out[at] = out[at - 1];
    out[at] = pair;
    return found < most ? found + 1 : most;
}

int ls_most_confused(const int64_t *counts, int64_t classes, int most, ls_confused *out)
{
    int found = 0;
    for (int64_t i = 0; i < classes; i++)
        for (int64_t k = 0; k < classes; k++)
            if (i != k && counts[i * classes + k] > 0)
                found = insert_pair(out, found, most, (ls_confused){i, k, counts[i * classes + k]});
    return found;
}

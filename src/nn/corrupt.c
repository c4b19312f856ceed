#include <lockstep/corrupt.h>

#include "base/rng.h"
#include "base/terms.h"

/* The words, and the streams of a row's random numbers: the effect of a word does not depend on the
 * other word. */
typedef enum word { NOISE, MASK, WORDS } word;

static const ls_term words[WORDS] = {
    [NOISE] = {"noise",
               "noise:S",
               "random numbers of standard deviation S are added to the network's inputs",
               1,
               {{"standard deviation", 0, 1e6}}},
    [MASK] = {"mask",
              "mask:P",
              "each of the network's inputs becomes 0 with probability P",
              1,
              {{"probability", 0, 1}}},
};

static const ls_terms terms = {"--corrupt", WORDS, words};

int ls_corruption_word(int at, const char **form, const char **meaning)
{
    return ls_terms_describe(&terms, at, form, meaning);
}

ls_status ls_corruption_make(ls_corruption *out, const char *text, uint64_t seed)
{
    double number[WORDS][LS_TERM_NUMBERS] = {{0}};
    const ls_status status = ls_terms_parse(&terms, text, number);
    if (status == LS_OK)
        *out = (ls_corruption){.noise = number[NOISE][0], .mask = number[MASK][0], .seed = seed};
    return status;
}

bool ls_corruption_is_some(const ls_corruption *c)
{
    return c->noise > 0 || c->mask > 0;
}

static void add_noise(double deviation, uint64_t key, int64_t count, float *x)
{
    for (int64_t i = 0; i < count; i++)
        x[i] += (float)(deviation * ls_rng_normal(key, (uint64_t)i));
}

static void mask(double probability, uint64_t key, int64_t count, float *x)
{
    for (int64_t i = 0; i < count; i++)
        if (ls_rng_uniform(key, (uint64_t)i) < probability)
            x[i] = 0;
}

void ls_corruption_apply(const ls_corruption *c, int64_t draw, int64_t rows, int64_t features,
                         const int64_t *ids, float *x)
{
    const uint64_t key = ls_rng_key(c->seed, LS_RNG_CORRUPT, (uint64_t)draw);
    for (int64_t r = 0; ls_corruption_is_some(c) && r < rows; r++, x += features) {
        const uint64_t mine = ls_rng_at(key, (uint64_t)ids[r]);
        if (c->noise > 0)
            add_noise(c->noise, ls_rng_at(mine, NOISE), features, x);
        if (c->mask > 0)
            mask(c->mask, ls_rng_at(mine, MASK), features, x);
    }
}

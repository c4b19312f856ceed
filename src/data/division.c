/* K: classes; a draw deals rows to parts, of which each has a quota: the validation, test and
 * training rows, or the folds. */
#include "data/division.h"

#include "base/fraction.h"
#include "base/integer.h"
#include "base/memory.h"
#include "base/range.h"
#include "base/rng.h"

#include <inttypes.h>

enum { WORD = 64, BLOCK = 8 * WORD, PIECE = 1 << 16, RUNS = 4, QUOTAS_MOST = 1 << 26 };

/* Consecutive rows of one split. */
typedef struct run {
    ls_split split;
    int64_t first, count;
} run;

struct ls_division {
    int64_t rows;
    int64_t count[LS_SPLITS];
    int runs; /* 0: rows are drawn */
    run run[RUNS];
    /* of drawn rows */
    uint64_t *validation, *test;  /* [rows / WORD, rounded up to blocks] a bit for each row */
    int64_t (*before)[LS_SPLITS]; /* [blocks + 1] rows of each split in all blocks before */
};

/* Rows of a class that are not drawn yet, and the parts that they go to. */
typedef struct quota {
    int64_t left;
    int64_t *wanted; /* [parts] */
} quota;

/* A draw of the rows first .. end-1. */
typedef struct draw {
    const ls_division_plan *plan;
    int64_t first, end;
    int classes, parts;
    quota *quotas;   /* [classes] */
    int64_t *wanted; /* [classes][parts] */
} draw;

static int64_t count_all_blocks(const ls_division *d)
{
    return d->rows / BLOCK + (d->rows % BLOCK != 0);
}

static void append_run(ls_division *d, ls_split split, int64_t count)
{
    const run *last = &d->run[d->runs > 0 ? d->runs - 1 : 0];
    if (count > 0)
        d->run[d->runs++] = (run){split, d->runs > 0 ? last->first + last->count : 0, count};
}

/* Number of validation and test rows among `rows` rows. */
static int64_t validation_rows(const ls_division_plan *p, int64_t rows)
{
    return ls_part_of(p->validation, rows);
}

static int64_t test_rows(const ls_division_plan *p, int64_t rows)
{
    return ls_min(ls_part_of(p->test, rows), rows - validation_rows(p, rows));
}

/* Divides into runs: the validation rows are the last before the test rows, or a fold. */
static void make_runs(ls_division *d, const ls_division_plan *p, ls_range rest)
{
    const int64_t test = test_rows(p, rest.count);
    ls_range validation = {0, validation_rows(p, rest.count)};
    validation.first = rest.count - test - validation.count;
    if (p->folds > 0)
        validation = ls_shard(rest.count, p->folds, p->fold - 1);
    const int64_t after = rest.count - test - validation.first - validation.count;
    append_run(d, LS_TEST, rest.first);
    append_run(d, LS_TRAIN, validation.first);
    append_run(d, LS_VALIDATION, validation.count);
    append_run(d, LS_TRAIN, after);
    append_run(d, LS_TEST, d->rows - rest.first - rest.count + test);
}

/* Draws the part of a row. */
static int draw_part(uint64_t key, int64_t row, int parts, quota *q)
{
    double at = ls_rng_uniform(key, (uint64_t)row) * (double)q->left;
    int part = 0, last = 0;
    for (; part < parts && at >= (double)q->wanted[part]; part++) {
        at -= (double)q->wanted[part];
        last = q->wanted[part] > 0 ? part : last;
    }
    part = part < parts ? part : last; /* rounding */
    q->wanted[part]--;
    q->left--;
    return part;
}

static ls_split split_of_part(const ls_division_plan *p, int part)
{
    static const ls_split splits[] = {LS_VALIDATION, LS_TEST, LS_TRAIN};
    return p->folds == 0 ? splits[part] : part == p->fold - 1 ? LS_VALIDATION : LS_TRAIN;
}

static void set_split(ls_division *d, int64_t row, ls_split split)
{
    uint64_t *bits = split == LS_VALIDATION ? d->validation : d->test;
    if (split != LS_TRAIN)
        bits[row / WORD] |= UINT64_C(1) << row % WORD;
}

/* Computes each class's share of the rows that a part gets: the share of classes 0 .. k together,
 * rounded down, minus the share of classes 0 .. k-1. */
static void divide_part(const draw *w, int part, int64_t rows, int64_t wanted)
{
    __extension__ typedef unsigned __int128 wide; /* the product of two counts of rows */
    int64_t before = 0, given = 0;
    for (int k = 0; k < w->classes; k++) {
        quota *q = &w->quotas[k];
        int64_t most = q->left > 0 ? q->left - 1 : 0;
        for (int other = 0; other < part; other++)
            most -= q->wanted[other];
        before += q->left;
        const int64_t due = (int64_t)((wide)before * (wide)wanted / (wide)rows);
        q->wanted[part] = w->classes == 1 ? wanted : ls_max(ls_min(due - given, most), 0);
        given = due;
    }
}

/* Deals each class's rows evenly to the folds, beginning where the class before ended. */
static void divide_folds(const draw *w)
{
    int64_t next = 0;
    for (int k = 0; k < w->classes; k++) {
        quota *q = &w->quotas[k];
        for (int fold = 0; fold < w->parts; fold++)
            q->wanted[fold] = q->left / w->parts;
        for (int64_t rest = q->left % w->parts; rest > 0; rest--)
            q->wanted[next++ % w->parts]++;
    }
}

/* Sets the quotas, once the rows of the classes are counted. */
static void divide_quotas(const draw *w)
{
    enum { VALIDATION, TEST, TRAIN };
    const int64_t rows = w->end - w->first;
    if (w->plan->folds > 0) {
        divide_folds(w);
        return;
    }
    divide_part(w, VALIDATION, rows, validation_rows(w->plan, rows));
    divide_part(w, TEST, rows, test_rows(w->plan, rows));
    for (int k = 0; k < w->classes; k++) {
        quota *q = &w->quotas[k];
        q->wanted[TRAIN] = q->left - q->wanted[VALIDATION] - q->wanted[TEST];
    }
}

/* Reads all labels, and counts them, or draws the rows.
 * d  NULL: count */
static ls_status scan_labels(const draw *w, ls_label_reader labels, ls_division *d)
{
    const uint64_t key = ls_rng_key(w->plan->seed, LS_RNG_HOLD_OUT, 0);
    int32_t *label = ls_alloc(PIECE, sizeof *label); /* zeros: one class */
    ls_status status = label == NULL ? LS_ERR_FAILURE : LS_OK;
    for (int64_t row = w->first, some; status == LS_OK && row < w->end; row += some) {
        some = ls_min(w->end - row, PIECE);
        if (w->classes > 1)
            status = labels.read(labels.user, row, some, label);
        for (int64_t i = 0; status == LS_OK && i < some; i++)
            if (d == NULL)
                w->quotas[label[i]].left++;
            else
                set_split(d, row + i,
                          split_of_part(w->plan,
                                        draw_part(key, row + i, w->parts, &w->quotas[label[i]])));
    }
    ls_free(label);
    return status;
}

static ls_status draw_rows(ls_division *d, const ls_division_plan *p, ls_range rest, int classes,
                           ls_label_reader labels)
{
    draw w = {.plan = p, .first = rest.first, .end = rest.first + rest.count};
    w.classes = p->how == LS_HOLD_OUT_STRATIFIED ? classes : 1;
    w.parts = p->folds > 0 ? p->folds : LS_SPLITS;
    if ((int64_t)w.classes * w.parts > QUOTAS_MOST)
        return ls_fail(LS_ERR_USAGE, "--fold %d/%d: of %d classes there can be %d folds", p->fold,
                       p->folds, w.classes, QUOTAS_MOST / w.classes);
    w.quotas = ls_alloc(w.classes, sizeof *w.quotas);
    w.wanted = ls_alloc((int64_t)w.classes * w.parts, sizeof *w.wanted);
    ls_status status = w.quotas == NULL || w.wanted == NULL ? LS_ERR_FAILURE : LS_OK;
    for (int k = 0; status == LS_OK && k < w.classes; k++)
        w.quotas[k].wanted = w.wanted + (int64_t)k * w.parts;
    if (status == LS_OK)
        status = scan_labels(&w, labels, NULL);
    if (status == LS_OK) {
        divide_quotas(&w);
        status = scan_labels(&w, labels, d);
    }
    ls_free(w.wanted);
    ls_free(w.quotas);
    return status;
}

/* Returns the bits of a word's rows of a split; the rows behind the last are training rows. */
static uint64_t word_of(const ls_division *d, ls_split split, int64_t word)
{
    return split == LS_VALIDATION ? d->validation[word]
           : split == LS_TEST     ? d->test[word]
                                  : ~(d->validation[word] | d->test[word]);
}

/* Computes `before`, after all rows are drawn. */
static void sum_blocks(ls_division *d)
{
    for (int split = 0; split < LS_SPLITS; split++)
        for (int64_t b = 0; b < count_all_blocks(d); b++) {
            d->before[b + 1][split] = d->before[b][split];
            for (int64_t w = b * (BLOCK / WORD); w < (b + 1) * (BLOCK / WORD); w++)
                d->before[b + 1][split] += __builtin_popcountll(word_of(d, (ls_split)split, w));
        }
}

static ls_status make_bits(ls_division *d, const ls_division_plan *p, ls_range rest, int classes,
                           ls_label_reader labels)
{
    const int64_t words = count_all_blocks(d) * (BLOCK / WORD);
    d->validation = ls_alloc(words, sizeof *d->validation);
    d->test = ls_alloc(words, sizeof *d->test);
    d->before = ls_alloc(count_all_blocks(d) + 1, sizeof *d->before);
    if (d->validation == NULL || d->test == NULL || d->before == NULL)
        return LS_ERR_FAILURE;
    const ls_status status = draw_rows(d, p, rest, classes, labels);
    for (int64_t row = 0; row < rest.first; row++)
        set_split(d, row, LS_TEST);
    for (int64_t row = rest.first + rest.count; row < d->rows; row++)
        set_split(d, row, LS_TEST);
    sum_blocks(d);
    return status;
}

/* Returns the rows that are no fixed test rows. */
static ls_status find_rest(const ls_division_plan *p, int64_t rows, ls_range *out)
{
    const int64_t fixed = p->fixed == INT64_MAX ? rows : p->fixed;
    if (fixed > rows || (fixed == rows && p->fixed < INT64_MAX))
        return ls_fail(LS_ERR_USAGE,
                       "--test-rows %s:%" PRId64 ": there are %" PRId64
                       " rows; to evaluate all of them give --test-rows all",
                       p->fixed_first ? "first" : "last", fixed, rows);
    *out = (ls_range){p->fixed_first ? fixed : 0, rows - fixed};
    if (p->folds > out->count && p->fixed < INT64_MAX)
        return ls_fail(LS_ERR_USAGE, "--fold %d/%d: there are %" PRId64 " rows", p->fold, p->folds,
                       out->count);
    return LS_OK;
}

ls_status ls_division_make(ls_division **out, const ls_division_plan *p, int64_t rows, int classes,
                           ls_label_reader labels)
{
    ls_range rest = {0};
    ls_status status = find_rest(p, rows, &rest);
    if (status != LS_OK)
        return status;
    ls_division *d = ls_alloc(1, sizeof *d);
    if (d == NULL)
        return LS_ERR_FAILURE;
    d->rows = rows;
    const bool drawn = p->folds > 0 || validation_rows(p, rest.count) > 0 || p->test > 0;
    if (p->how == LS_HOLD_OUT_LAST || !drawn)
        make_runs(d, p, rest);
    else
        status = make_bits(d, p, rest, classes, labels);
    if (status != LS_OK) {
        ls_division_destroy(&d);
        return status;
    }
    for (int split = 0; split < LS_SPLITS; split++)
        d->count[split] = ls_division_before(d, (ls_split)split, rows);
    if (p->how == LS_HOLD_OUT_STRATIFIED && d->count[LS_VALIDATION] == 0 &&
        (p->folds > 0 || validation_rows(p, rest.count) > 0)) {
        ls_division_destroy(&d);
        return ls_fail(LS_ERR_USAGE, "no class has enough rows to hold one out: omit --hold-out "
                                     "stratified, or change --validation or --fold");
    }
    *out = d;
    return LS_OK;
}

int64_t ls_division_count(const ls_division *division, ls_split split)
{
    return division->count[split];
}

ls_split ls_division_split(const ls_division *d, int64_t row)
{
    int at = 0;
    if (d->runs == 0) {
        const uint64_t bit = UINT64_C(1) << row % WORD;
        return (d->validation[row / WORD] & bit) != 0 ? LS_VALIDATION
               : (d->test[row / WORD] & bit) != 0     ? LS_TEST
                                                      : LS_TRAIN;
    }
    while (row >= d->run[at].first + d->run[at].count)
        at++;
    return d->run[at].split;
}

static int64_t find_in_runs(const ls_division *d, ls_split split, int64_t index)
{
    int at = 0;
    for (; d->run[at].split != split || index >= d->run[at].count; at++)
        index -= d->run[at].split == split ? d->run[at].count : 0;
    return d->run[at].first + index;
}

/* Finds the block by bisection, then the word, then the bit. */
static int64_t find_in_bits(const ls_division *d, ls_split split, int64_t index)
{
    int64_t low = 0, high = count_all_blocks(d);
    while (high - low > 1) {
        const int64_t middle = low + (high - low) / 2;
        if (d->before[middle][split] <= index)
            low = middle;
        else
            high = middle;
    }
    int64_t row = low * BLOCK, left = index - d->before[low][split];
    for (;; row += WORD) {
        const int members = __builtin_popcountll(word_of(d, split, row / WORD));
        if (left < members)
            break;
        left -= members;
    }
    while (ls_division_split(d, row) != split || left-- > 0)
        row++;
    return row;
}

int64_t ls_division_row(const ls_division *d, ls_split split, int64_t index)
{
    return d->runs > 0 ? find_in_runs(d, split, index) : find_in_bits(d, split, index);
}

int64_t ls_division_before(const ls_division *d, ls_split split, int64_t row)
{
    int64_t count = 0;
    for (int at = 0; at < d->runs; at++)
        if (d->run[at].split == split)
            count += ls_max(0, ls_min(row - d->run[at].first, d->run[at].count));
    if (d->runs > 0 || d->before == NULL)
        return count;
    const int64_t block = row / BLOCK;
    count = d->before[block][split];
    for (int64_t at = block * BLOCK; at < row; at += WORD) {
        const uint64_t word = word_of(d, split, at / WORD);
        const int64_t left = row - at;
        count += __builtin_popcountll(left < WORD ? word & ((UINT64_C(1) << left) - 1) : word);
    }
    return count;
}

void ls_division_destroy(ls_division **division)
{
    if (division == NULL || *division == NULL)
        return;
    ls_free((*division)->validation);
    ls_free((*division)->test);
    ls_free((*division)->before);
    ls_free(*division);
    *division = NULL;
}

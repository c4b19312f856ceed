#include "damage.h"

#include "test.h"

#include <lockstep/dataset.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/rng.h"
#include "data/samples.h"

#include <stdlib.h>
#include <string.h>

static uint64_t seed;
static int tried, refused;

void damage_begin(void)
{
    const char *given = getenv("LOCKSTEP_SEED");
    seed = given != NULL ? strtoull(given, NULL, 10) : 1;
    print_message("LOCKSTEP_SEED=%llu\n", (unsigned long long)seed);
}

ls_status damage_read_dataset(const char *path, uint64_t *effect)
{
    ls_dataset *dataset = NULL;
    ls_samples *samples = NULL;
    ls_status status = ls_dataset_open(&dataset, path, &(ls_dataset_options){.validation = 0.1});
    if (status != LS_OK)
        return status;
    const int64_t rows = ls_dataset_describe(dataset)->rows[LS_TRAIN];
    status = ls_dataset_verify(dataset);
    if (status == LS_OK)
        status = ls_dataset_read(dataset, LS_TRAIN, 0, rows, rows, &samples);
    if (status == LS_OK)
        *effect = ls_samples_fingerprint(samples);
    ls_samples_destroy(&samples);
    ls_dataset_close(&dataset);
    return status;
}

damage_bytes damage_load(const char *path)
{
    damage_bytes b;
    assert_ok(ls_read_file(path, 1 << 24, LS_ERR_DATA, &b.at, &b.count));
    return b;
}

void damage_store(const char *path, const char *at, size_t count)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(at, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
}

void damage_check_refusal(ls_status status, const char *what, int number)
{
    const char *text = ls_error_text();
    if ((status != LS_ERR_DATA && status != LS_ERR_USAGE) || *text == '\0' ||
        strchr(text, '\n') != NULL)
        fail_msg("%s %d, seed %llu: status %d, '%s'", what, number, (unsigned long long)seed,
                 (int)status, text);
}

void damage_count(ls_status status)
{
    tried++;
    refused += status != LS_OK;
}

void damage_check(damage_reader *read, const char *path, bool guarded, uint64_t before,
                  const char *what, int number)
{
    uint64_t after = 0;
    ls_status status = read(path, &after);
    damage_count(status);
    if (status != LS_OK)
        damage_check_refusal(status, what, number);
    else if (guarded && after != before)
        fail_msg("%s %d, seed %llu: undetected damage", what, number, (unsigned long long)seed);
}

void damage_truncate(damage_reader *read, const char *path, bool guarded, int cuts)
{
    uint64_t before;
    assert_ok(read(path, &before));
    damage_bytes b = damage_load(path);
    const uint64_t key = ls_rng_key(seed, 1, b.count);
    for (int i = 0; i < cuts; i++) {
        size_t length = (size_t)(ls_rng_at(key, (uint64_t)i) % b.count);
        if (i < 8)
            length = (size_t)i * 2 < b.count ? (size_t)i * 2 : 0;
        else if (i < 16)
            length = b.count - (size_t)(i - 7);
        damage_store("cut", b.at, length);
        damage_check(read, "cut", guarded, before, path, i);
    }
    ls_free(b.at);
}

void damage_flip(damage_reader *read, const char *path, bool guarded, size_t from, int flips)
{
    uint64_t before;
    assert_ok(read(path, &before));
    damage_bytes b = damage_load(path);
    char *damaged = malloc(b.count);
    for (int i = 0; i < flips; i++) {
        const uint64_t key = ls_rng_key(seed, 2 + b.count, (uint64_t)i);
        const size_t places = b.count - from;
        memcpy(damaged, b.at, b.count);
        for (uint64_t k = 0; k <= ls_rng_at(key, 0) % 3; k++) {
            char *at = damaged + from + ls_rng_at(key, 2 * k + 1) % places;
            const uint64_t how = ls_rng_at(key, 2 * k + 2);
            const int flipped = *at ^ 1 << how / 4 % 8;
            *at = (char)(how % 4 == 0 ? 0 : how % 4 == 1 ? 0xff : flipped);
        }
        damage_store("flipped", damaged, b.count);
        damage_check(read, "flipped", guarded, before, path, i);
    }
    free(damaged);
    ls_free(b.at);
}

void damage_report(const char *what)
{
    print_message("%s: %d files, %d of them refused\n", what, tried, refused);
    tried = refused = 0;
}

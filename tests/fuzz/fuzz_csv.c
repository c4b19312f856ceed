/* Any bytes as a table in text, plain or gzip: read as it is, and imported by its last column. */
#include <lockstep/import.h>

#include "sources/csv.h"
#include "sources/csv_layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void learn(const char *path, const char *target)
{
    ls_csv *csv = NULL;
    ls_csv_layout layout = {.columns = 0};
    int64_t rows;
    bool end = false;
    const ls_csv_source source = {.train = path, .target = target};
    ls_status status = ls_csv_open(&csv, path);
    if (status == LS_OK)
        status = ls_csv_learn(&layout, csv, &source, 0, &rows);
    if (status == LS_OK)
        status = ls_csv_rewind(csv);
    for (int64_t row = layout.header ? -1 : 0; status == LS_OK && row < rows; row++)
        status = ls_csv_next_row(&layout, csv, &end);
    if (status == LS_OK && end) /* there are fewer rows than were counted */
        abort();
    ls_csv_close(&csv);
    ls_csv_layout_free(&layout);
    if (status != LS_OK && status != LS_ERR_DATA && status != LS_ERR_USAGE)
        abort();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    char path[64];
    const int file = memfd_create("csv", 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    if (write(file, data, size) == (ssize_t)size) {
        learn(path, "1");
        learn(path, "y");
        learn(path, "2,1");
    }
    close(file);
    return 0;
}

#include "cli/samples.h"

#include "base/file.h"
#include "base/integer.h"
#include "base/memory.h"
#include "cli/sheet.h"

#include <math.h>
#include <stdio.h>

bool ls_samples_are_pictures(ls_shape shape)
{
    enum { MOST = 4096 };
    return shape.height > 1 && shape.width > 1 && shape.height <= MOST && shape.width <= MOST &&
           (shape.channels == 1 || shape.channels == 3);
}

/* Returns the rows of a view. */
static int64_t view_rows(const ls_generated *rows)
{
    return rows->views > 0 ? rows->rows / rows->views : rows->rows;
}

/* The range of numbers that becomes black to white. */
static void find_range(const ls_generated *rows, double *least, double *most)
{
    *least = 0;
    *most = UINT8_MAX;
    if (rows->element == LS_U8)
        return;
    *least = INFINITY;
    *most = -INFINITY;
    for (int64_t i = 0; i < view_rows(rows) * ls_shape_size(rows->shape); i++) {
        *least = fmin(*least, (double)rows->x[i]);
        *most = fmax(*most, (double)rows->x[i]);
    }
}

static ls_status draw_rows(ls_sheet *sheet, const ls_generated *rows)
{
    const int64_t size = ls_shape_size(rows->shape);
    double least, most;
    uint8_t *pixels = ls_alloc(size, 1);
    if (pixels == NULL)
        return LS_ERR_FAILURE;
    find_range(rows, &least, &most);
    for (int64_t r = 0; r < rows->rows; r++) {
        for (int64_t i = 0; i < size; i++) {
            const double shade = ((double)rows->x[r * size + i] - least) / (most - least);
            pixels[i] = (uint8_t)lround(UINT8_MAX * fmin(fmax(shade, 0), 1));
        }
        ls_sheet_put(sheet, r, pixels, "", "");
    }
    ls_free(pixels);
    return LS_OK;
}

ls_status ls_samples_write(const char *path, const ls_generated *rows, int64_t columns)
{
    ls_sheet *sheet = NULL;
    if (columns == 0)
        columns = rows->views > 0     ? view_rows(rows)
                  : rows->classes > 0 ? rows->classes
                                      : ls_sheet_columns(rows->rows);
    const ls_sheet_layout layout = {.shape = rows->shape,
                                    .columns = ls_min(columns, rows->rows),
                                    .rows = (rows->rows + columns - 1) / columns,
                                    .bare = true,
                                    .line = {"", ""},
                                    .lead = {"", ""}};
    ls_status status = ls_sheet_create(&sheet, &layout);
    if (status == LS_OK)
        status = draw_rows(sheet, rows);
    if (status == LS_OK)
        status = ls_sheet_write(sheet, path);
    ls_sheet_destroy(&sheet);
    return status;
}

ls_status ls_samples_save(const char *run, const ls_generated *rows)
{
    char folder[LS_PATH_MAX], name[32], path[LS_PATH_MAX];
    if (!ls_samples_are_pictures(rows->shape))
        return LS_OK;
    snprintf(name, sizeof name, "/epoch-%04lld.png", (long long)rows->epoch);
    ls_status status = ls_path(folder, run, "/samples", NULL);
    if (status == LS_OK)
        status = ls_path(path, folder, name, NULL);
    if (status == LS_OK)
        status = ls_make_folder(folder);
    return status == LS_OK ? ls_samples_write(path, rows, 0) : status;
}

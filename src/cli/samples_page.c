#include "cli/samples_page.h"

#include "base/file.h"
#include "cli/page.h"
#include "cli/run_facts.h"

#include <lockstep/metrics.h>

#include <math.h>
#include <unistd.h>

enum { SHEETS = 4 /* that show the progress, with the last */ };

/* Finds the sheet of an epoch.
 * path  on return its path, "" if there is none */
static ls_status find_sheet(const ls_run_material *m, int64_t epoch, char path[LS_PATH_MAX])
{
    char name[64];
    snprintf(name, sizeof name, "/samples/epoch-%04lld.png", (long long)epoch);
    const ls_status status = ls_path(path, m->folder, name, NULL);
    if (status == LS_OK && access(path, R_OK) != 0)
        *path = '\0';
    return status;
}

/* Writes the sheet of an epoch, if there is one. */
static ls_status write_sheet(FILE *out, const ls_run_material *m, int64_t epoch, const char *what)
{
    char path[LS_PATH_MAX], title[128];
    const ls_status status = find_sheet(m, epoch, path);
    if (status != LS_OK || *path == '\0')
        return status;
    snprintf(title, sizeof title, "%s after epoch %lld", what, (long long)epoch);
    ls_page_paragraph(out, "note", title);
    return ls_page_picture(out, path, title);
}

/* Writes sheets of epochs whose numbers grow by a factor. */
static ls_status write_sheets(FILE *out, const ls_run_material *m, int64_t last, const char *what)
{
    ls_status status = LS_OK;
    for (int64_t i = 1, shown = 0; status == LS_OK && i <= SHEETS; i++) {
        const int64_t epoch = (int64_t)llround(pow((double)last, (double)(i - 1) / (SHEETS - 1)));
        if (epoch > shown)
            status = write_sheet(out, m, epoch, what);
        shown = epoch;
    }
    return status;
}

ls_status ls_samples_page_write(FILE *out, const ls_run_material *m)
{
    const int64_t last = ls_run_outcome_epoch(m);
    const bool generates = ls_run_task(m) == LS_TASK_GENERATION || ls_run_is_variational(m);
    char path[LS_PATH_MAX] = "";
    ls_status status = last > 0 ? find_sheet(m, last, path) : LS_OK;
    if (status != LS_OK || *path == '\0')
        return status;
    ls_page_heading(out, generates ? "Generated rows" : "Reconstructed rows");
    if (!generates)
        ls_page_paragraph(out, "note",
                          "Validation rows: above the inputs, corrupted inputs if the training "
                          "has --corrupt, below the outputs.");
    fputs("<div class=\"columns\">\n", out);
    status = write_sheets(out, m, last, generates ? "generated rows" : "rows");
    fputs("</div>\n", out);
    return status;
}

#include "cli/gan_page.h"

#include "base/file.h"
#include "base/json.h"
#include "cli/metric_text.h"
#include "cli/page.h"
#include "cli/run_headline.h"

#include <lockstep/metrics.h>

#include <math.h>
#include <unistd.h>

enum { TEXT = LS_JSON_TEXT, SHEETS = 4 /* that show the progress, with the last */ };

static void write_tile(FILE *out, const ls_run_material *m, ls_metric metric, const char *title,
                       const char *more)
{
    const int64_t epoch = ls_run_outcome_epoch(m);
    const double value =
        epoch > 0 ? ls_metrics_value(&m->run.history[epoch - 1], ls_metrics_column(metric, true))
                  : NAN;
    if (isfinite(value))
        ls_page_tile(out, title, ls_metric_text(metric, LS_TASK_GENERATION, value).text, more);
    else
        ls_page_tile(out, title, "–", "trained without --score");
}

void ls_gan_page_tiles(FILE *out, const ls_run_material *m)
{
    char more[3 * TEXT], text[2][TEXT];
    snprintf(more, sizeof more, "of %s rows, by %s",
             ls_json_show(m->run.summary, "config", "score-rows", text[0]),
             ls_json_show(m->run.summary, "config", "score", text[1]));
    write_tile(out, m, LS_METRIC_SCORE, "score", more);
    write_tile(out, m, LS_METRIC_FRECHET, "Frechet distance", "from the validation rows");
}

/* Writes the sheet of an epoch, if there is one. */
static ls_status write_sheet(FILE *out, const ls_run_material *m, int64_t epoch)
{
    char path[LS_PATH_MAX], name[64], what[64];
    snprintf(name, sizeof name, "/samples/epoch-%04lld.png", (long long)epoch);
    snprintf(what, sizeof what, "generated rows after epoch %lld", (long long)epoch);
    const ls_status status = ls_path(path, m->folder, name, NULL);
    if (status != LS_OK || access(path, R_OK) != 0)
        return status;
    ls_page_paragraph(out, "note", what);
    return ls_page_picture(out, path, what);
}

ls_status ls_gan_page_samples(FILE *out, const ls_run_material *m)
{
    const int64_t last = ls_run_outcome_epoch(m);
    ls_status status = LS_OK;
    ls_page_heading(out, "Generated rows");
    fputs("<div class=\"columns\">\n", out);
    for (int64_t i = 1, shown = 0; status == LS_OK && i <= SHEETS; i++) {
        const int64_t epoch = (int64_t)llround(pow((double)last, (double)(i - 1) / (SHEETS - 1)));
        if (last > 0 && epoch > shown)
            status = write_sheet(out, m, epoch);
        shown = epoch;
    }
    fputs("</div>\n", out);
    return status;
}

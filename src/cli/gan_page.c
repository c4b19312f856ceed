#include "cli/gan_page.h"

#include "base/json.h"
#include "cli/metric_text.h"
#include "cli/page.h"
#include "cli/run_facts.h"

#include <lockstep/metrics.h>

#include <math.h>

enum { TEXT = LS_JSON_TEXT };

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

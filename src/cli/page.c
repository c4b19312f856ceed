#include "cli/page.h"

#include "base/file.h"
#include "base/memory.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const char style[] =
    "body{font:16px/1.5 system-ui,sans-serif;color:#222;max-width:60rem;margin:2rem auto;padding:0 "
    "1rem}"
    "h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2.5rem}"
    "table{border-collapse:collapse}td,th{padding:.15rem .8rem .15rem "
    "0;text-align:left;vertical-align:top}"
    ".numbers td,.numbers th{text-align:right;padding:.15rem .6rem}"
    ".matrix td{min-width:2.2rem;border:1px solid #fff}"
    "th{color:#555;font-weight:normal}code{white-space:pre-wrap}"
    "svg,img{max-width:100%;height:auto}.note{color:#555}";

void ls_page_text(FILE *out, const char *text)
{
    for (; *text != '\0'; text++)
        switch (*text) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        default:
            fputc(*text, out);
            break;
        }
}

void ls_page_begin(FILE *out, const char *title)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
          "<meta name=\"viewport\" content=\"width=device-width\"><title>",
          out);
    ls_page_text(out, title);
    fprintf(out, "</title><style>%s</style></head>\n<body>\n<h1>", style);
    ls_page_text(out, title);
    fputs("</h1>\n", out);
}

void ls_page_end(FILE *out)
{
    fputs("</body></html>\n", out);
}

void ls_page_heading(FILE *out, const char *text)
{
    fputs("<h2>", out);
    ls_page_text(out, text);
    fputs("</h2>\n", out);
}

void ls_page_row(FILE *out, const char *name, const char *format, ...)
{
    char text[4096];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fputs("<tr><th>", out);
    ls_page_text(out, name);
    fputs("</th><td><code>", out);
    ls_page_text(out, text);
    fputs("</code></td></tr>\n", out);
}

enum { WIDTH = 860, HEIGHT = 300, LEFT = 70, RIGHT = 150, TOP = 34, BOTTOM = 34 };

static double height_of(ls_scale scale, double value)
{
    return scale == LS_SCALE_LOSS ? log10(fmax(value, 1e-6)) : -log10(fmax(1 - value, 1e-5));
}

/* What a chart shows, and where. */
typedef struct frame {
    int64_t count;
    double low, high; /* heights */
    ls_scale scale;
} frame;

static double x_of(const frame *f, int64_t epoch)
{
    const double span = f->count > 1 ? (double)(f->count - 1) : 1;
    return LEFT + (double)(epoch - 1) / span * (WIDTH - LEFT - RIGHT);
}

static double y_of(const frame *f, double value)
{
    return TOP +
           (f->high - height_of(f->scale, value)) / (f->high - f->low) * (HEIGHT - TOP - BOTTOM);
}

static frame make_frame(const ls_curve *curve, int curves, int64_t count, ls_scale scale)
{
    frame f = {.count = count, .low = INFINITY, .high = -INFINITY, .scale = scale};
    for (int k = 0; k < curves; k++)
        for (int64_t i = 0; i < count; i++)
            if (isfinite(curve[k].value[i])) {
                f.low = fmin(f.low, height_of(scale, curve[k].value[i]));
                f.high = fmax(f.high, height_of(scale, curve[k].value[i]));
            }
    const double margin = fmax(0.03, 0.05 * (f.high - f.low));
    f.low -= margin;
    f.high += margin;
    return f;
}

/* Marks on the axes: those round values, from the top down, that have room. */
static void draw_axes(FILE *out, const frame *f)
{
    static const double accuracies[] = {0.9999, 0.9998, 0.9995, 0.999, 0.998, 0.995, 0.99, 0.985,
                                        0.98,   0.97,   0.95,   0.92,  0.9,   0.85,  0.8,  0.7,
                                        0.6,    0.5,    0.4,    0.3,   0.2,   0.1,   0};
    static const double ones[] = {9, 8, 7, 6, 5, 4, 3, 2.5, 2, 1.5, 1.2, 1};
    enum { ONES = sizeof ones / sizeof *ones, DECADES = 8 };
    const int values =
        f->scale == LS_SCALE_LOSS ? ONES * DECADES : (int)(sizeof accuracies / sizeof *accuracies);
    double above = -INFINITY;
    for (int i = 0; i < values; i++) {
        const double value =
            f->scale == LS_SCALE_LOSS ? ones[i % ONES] * pow(10, 1 - i / ONES) : accuracies[i];
        const double y = y_of(f, value);
        if (y < TOP || y > HEIGHT - BOTTOM || y - above < 22)
            continue;
        above = y;
        fprintf(out,
                "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#e3e3e3\"/>"
                "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%g</text>\n",
                LEFT, WIDTH - RIGHT, y, y, LEFT - 8, y + 4, value);
    }
    int64_t step = 1;
    for (int64_t tens = 1; f->count / step > 12; tens *= 10)
        for (int64_t k = 1; k <= 5 && f->count / step > 12; k = k == 1 ? 2 : k == 2 ? 5 : 6)
            step = k * tens;
    for (int64_t epoch = step; epoch <= f->count; epoch += step)
        fprintf(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%lld</text>\n",
                x_of(f, epoch), HEIGHT - BOTTOM + 20, (long long)epoch);
}

static void draw_curve(FILE *out, const frame *f, const ls_curve *curve, const char *colour)
{
    bool down = false;
    fputs("<path d=\"", out);
    for (int64_t i = 0; i < f->count; i++) {
        if (isfinite(curve->value[i]))
            fprintf(out, "%c%.1f %.1f", down ? 'L' : 'M', x_of(f, i + 1), y_of(f, curve->value[i]));
        down = isfinite(curve->value[i]);
    }
    fprintf(out, "\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"%s/>\n", colour,
            curve->dashed ? " stroke-dasharray=\"7 4\"" : "");
}

void ls_page_chart(FILE *out, const char *title, const ls_curve *curve, int curves, int64_t count,
                   ls_scale scale, int64_t marked)
{
    /* Of Okabe and Ito's colours, which colour-blind people can tell apart. */
    static const char *const colour[] = {"#0072B2", "#D55E00"};
    const frame f = make_frame(curve, curves, count, scale);
    if (!isfinite(f.low) || count < 1)
        return;
    fprintf(
        out,
        "<svg viewBox=\"0 0 %d %d\" role=\"img\" font-family=\"system-ui,sans-serif\" "
        "font-size=\"13\" fill=\"#555\">\n<text x=\"%d\" y=\"18\" font-size=\"15\" fill=\"#222\">",
        WIDTH, HEIGHT, LEFT);
    ls_page_text(out, title);
    fputs("</text>\n", out);
    draw_axes(out, &f);
    for (int k = 0; k < curves; k++) {
        draw_curve(out, &f, &curve[k], colour[k % 2]);
        if (marked > 0 && !curve[k].dashed && isfinite(curve[k].value[marked - 1]))
            fprintf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\" fill=\"%s\"/>\n",
                    x_of(&f, marked), y_of(&f, curve[k].value[marked - 1]), colour[k % 2]);
        fprintf(out,
                "<line x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\" stroke=\"%s\" stroke-width=\"2\"%s/>"
                "<text x=\"%d\" y=\"%d\">",
                WIDTH - RIGHT + 14, WIDTH - RIGHT + 44, TOP + 12 + 22 * k, TOP + 12 + 22 * k,
                colour[k % 2], curve[k].dashed ? " stroke-dasharray=\"7 4\"" : "",
                WIDTH - RIGHT + 52, TOP + 16 + 22 * k);
        ls_page_text(out, curve[k].name);
        fputs("</text>\n", out);
    }
    fprintf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">epoch</text></svg>\n",
            LEFT + (WIDTH - LEFT - RIGHT) / 2, HEIGHT - 2);
}

void ls_page_matrix(FILE *out, const int64_t *counts, int classes)
{
    fputs("<table class=\"numbers matrix\"><tr><th></th>", out);
    for (int k = 0; k < classes; k++)
        fprintf(out, "<th>%d</th>", k);
    fputs("</tr>\n", out);
    for (int i = 0; i < classes; i++, counts += classes) {
        int64_t sum = 0;
        for (int k = 0; k < classes; k++)
            sum += counts[k];
        fprintf(out, "<tr><th>%d</th>", i);
        for (int k = 0; k < classes; k++) {
            /* By the root of its share: rare mistakes are what is looked for. */
            const double share = sum > 0 ? sqrt((double)counts[k] / (double)sum) : 0;
            fprintf(out, "<td style=\"background:rgba(%s,%.2f)%s\">%lld</td>",
                    i == k ? "0,114,178" : "213,94,0", share, share > 0.7 ? ";color:#fff" : "",
                    (long long)counts[k]);
        }
        fputs("</tr>\n", out);
    }
    fputs("</table>\n", out);
}

static void write_base64(FILE *out, const uint8_t *bytes, size_t count)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < count; i += 3) {
        const uint32_t word = (uint32_t)bytes[i] << 16 |
                              (i + 1 < count ? (uint32_t)bytes[i + 1] << 8 : 0) |
                              (i + 2 < count ? bytes[i + 2] : 0);
        fputc(digits[word >> 18], out);
        fputc(digits[word >> 12 & 63], out);
        fputc(i + 1 < count ? digits[word >> 6 & 63] : '=', out);
        fputc(i + 2 < count ? digits[word & 63] : '=', out);
    }
}

ls_status ls_page_picture(FILE *out, const char *path, const char *what)
{
    enum { MOST = 64 << 20 };
    char *bytes = NULL;
    size_t length;
    ls_status status = ls_read_file(path, MOST, LS_ERR_DATA, &bytes, &length);
    if (status != LS_OK)
        return status;
    const char *kind = length > 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0 ? "png"
                       : strstr(bytes, "<svg") != NULL                          ? "svg+xml"
                                                                                : NULL;
    if (kind == NULL) {
        status = ls_fail(LS_ERR_DATA, "%s: is neither a PNG nor an SVG", path);
    } else {
        fprintf(out, "<p><img alt=\"");
        ls_page_text(out, what);
        fprintf(out, "\" src=\"data:image/%s;base64,", kind);
        write_base64(out, (const uint8_t *)bytes, length);
        fputs("\"></p>\n", out);
    }
    ls_free(bytes);
    return status;
}

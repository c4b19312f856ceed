#include "cli/page.h"

#include "base/file.h"
#include "base/memory.h"

#include <string.h>

/* Style for screens, and for A4 paper, where nothing is cut off and no figure, tile or table row is
 * split between pages. */
static const char style[] =
    "body{font:16px/1.5 system-ui,sans-serif;color:#222;max-width:60rem;margin:2rem auto;padding:0 "
    "1rem;overflow-wrap:anywhere}"
    "h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2.5rem}"
    "h3{font-size:1rem;margin:1.5rem 0 .4rem}"
    ".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(10rem,1fr));gap:.8rem}"
    ".tiles div{border:1px solid #ddd;border-radius:6px;padding:.5rem .8rem}"
    ".tiles dt{color:#555;font-size:.9rem}.tiles dd{margin:0}"
    ".tiles dd.value{font-size:1.5rem;line-height:1.3}.tiles dd{color:#555;font-size:.85rem}"
    ".tiles dd.value{color:#222;overflow-wrap:normal}dl{margin:0}"
    ".notice{margin:1rem 0;border-left:4px solid #D55E00;padding:.3rem .8rem;background:#fdf3ec}"
    "table{border-collapse:collapse}td,th{padding:.15rem .8rem .15rem "
    "0;text-align:left;vertical-align:top}"
    ".numbers td,.numbers th{text-align:right;padding:.15rem .6rem}"
    ".numbers td.text,.numbers th.text{text-align:left}"
    ".beside{display:flex;flex-wrap:wrap;gap:0 2rem;align-items:flex-start}"
    ".numbers th{min-width:0}.columns th{min-width:8rem}.columns{columns:2;column-gap:2rem}"
    "th{color:#555;font-weight:normal;min-width:4rem}.record th{min-width:9rem}"
    "pre,code{white-space:pre-wrap;overflow-wrap:anywhere}"
    "figure{margin:1rem 0}svg,img{max-width:100%;height:auto}.note{color:#555}"
    "@page{size:A4;margin:15mm}"
    "@media screen and (max-width:45rem){table{display:block;overflow-x:auto}td "
    "code{white-space:nowrap}}"
    "@media print{body{font-size:10pt;line-height:1.35;max-width:none;margin:0;padding:0}"
    "h1{font-size:16pt;margin-top:0}h2{font-size:12pt;margin-top:16pt}h3{font-size:10pt}"
    "h2,h3,.lead{break-after:avoid}figure,tr,.short,.beside,.tiles div,.notice{break-inside:avoid}"
    ".tiles{grid-template-columns:repeat(5,1fr);gap:2mm}.tiles div{padding:1.5mm 2mm}"
    ".tiles dd.value{font-size:14pt}.tiles dd{font-size:8pt}"
    "figure svg,figure img{max-height:240mm}"
    ".record td,.record th{padding-top:0;padding-bottom:0}"
    "*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}";

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

/* The first bytes of a page, by which it is known as Lockstep's. */
static const char begin[] = "<!DOCTYPE html>\n<html lang=\"en\"><head>"
                            "<meta name=\"generator\" content=\"Lockstep\">";

ls_status ls_page_check(const char *path)
{
    return ls_refuse_foreign(path, begin, sizeof begin - 1, "HTML page by Lockstep");
}

void ls_page_begin(FILE *out, const char *title)
{
    fputs(begin, out);
    fputs("<meta charset=\"utf-8\">"
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

void ls_page_paragraph(FILE *out, const char *class, const char *text)
{
    fprintf(out, "<p class=\"%s\">", class);
    ls_page_text(out, text);
    fputs("</p>\n", out);
}

void ls_page_row(FILE *out, const char *name, const char *text)
{
    fputs("<tr><th>", out);
    ls_page_text(out, name);
    fputs("</th><td><code>", out);
    ls_page_text(out, text);
    fputs("</code></td></tr>\n", out);
}

void ls_page_tile(FILE *out, const char *name, const char *value, const char *more)
{
    fputs("<div><dt>", out);
    ls_page_text(out, name);
    fputs("</dt><dd class=\"value\">", out);
    ls_page_text(out, value);
    fputs("</dd><dd>", out);
    ls_page_text(out, more);
    fputs("</dd></div>\n", out);
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
        status = ls_fail(LS_ERR_DATA, "%s: neither a PNG nor an SVG", path);
    } else {
        fputs("<figure><img alt=\"", out);
        ls_page_text(out, what);
        fprintf(out, "\" src=\"data:image/%s;base64,", kind);
        write_base64(out, (const uint8_t *)bytes, length);
        fputs("\"></figure>\n", out);
    }
    ls_free(bytes);
    return status;
}

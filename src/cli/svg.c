#include "cli/svg.h"

#include <math.h>

void ls_svg_begin(FILE *out, double width, double height, const char *label)
{
    fprintf(out,
            "<figure><svg width=\"%.0f\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"%s\" "
            "font-family=\"system-ui,sans-serif\" font-size=\"13\" fill=\"#555\">\n",
            width, width, height, label);
}

void ls_svg_end(FILE *out)
{
    fputs("</svg></figure>\n", out);
}

int64_t ls_svg_step(int64_t count, int64_t most)
{
    static const int64_t ones[] = {1, 2, 5};
    int64_t tens = 1;
    for (int k = 0;; k = (k + 1) % 3, tens *= k == 0 ? 10 : 1)
        if (count / (ones[k] * tens) <= most)
            return ones[k] * tens;
}

double ls_svg_rounded(double rough)
{
    const double decade = pow(10, floor(log10(rough)));
    return rough <= decade       ? decade
           : rough <= 2 * decade ? 2 * decade
           : rough <= 5 * decade ? 5 * decade
                                 : 10 * decade;
}

# Draws the figure of plot_training.sh, which writes facts.gp and 1.csv, 2.csv, ... to the working folder. Not for direct
# use.
if (ARGC > 0) { print "plot_training.gp is a part of plot_training.sh: jobs/plot_training.sh OUT RUN [RUN ...]"; exit status 2 }
set encoding utf8
set decimalsign "."
load "facts.gp"

set datafile separator ","
set datafile missing ""
EPOCH = 1
LOSS = 2
OTHER = 3
VAL_LOSS = 4
VAL_OTHER = 5
file(i) = sprintf("%d.csv", i)
max(a, b) = a > b ? a : b
min(a, b) = a < b ? a : b

end = 1
validated = 0 # runs that have validation
short = 0     # runs of one epoch
least_loss = least_other = least_positive = 1e30
most_loss = most_other = -1e30
longest = strlen("best epoch") # length of the longest text in the legend
do for [i = 1:runs] {
    end = max(end, last[i])
    validated = validated + validation[i]
    short = short + (last[i] == 1)
    least_loss = min(least_loss, low[i])
    least_positive = min(least_positive, positive[i])
    most_loss = max(most_loss, high[i])
    least_other = min(least_other, least[i])
    most_other = max(most_other, most[i])
}
if (short > 0) { longest = strlen("training, 1 epoch") }
do for [k = 1:rows] { longest = max(longest, strlen(row[k])) }
# If no run has validation rows, the training curves are solid.
dashed = validated > 0 ? runs : 0

# The axes include all values, with a margin.
if (least_other >= most_other) { least_other = least_other - 0.05; most_other = most_other + 0.05 }
room = 0.05 * (most_other - least_other)
top_other = min(most_other + room, max(most_other, 1 + 0.2 * room))
bottom_other = max(least_other - room, min(least_other, -0.2 * room))
if (second ne "accuracy") { # an error: from 0, as the loss
    bottom_other = -0.04 * most_other
    top_other = 1.05 * most_other
}
span = most_loss > min(0, least_loss) ? most_loss - min(0, least_loss) : 1
bottom_loss = min(0, least_loss) - 0.04 * span # so that a loss of 0 is not drawn on the frame
top_loss = min(0, least_loss) + 1.05 * span
decades = log10(max(most_loss, 1.001 * least_positive) / least_positive)

# Okabe and Ito's palette, distinguishable by colour-blind readers, without yellow, which is too light for lines.
array colour[8] = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#7F7F7F"]
hue(i) = colour[i]
GREY = "#555555"
DARK = "#222222"

# A step of 1, 2 or 5 times a power of ten that makes about five tics, and the decimals that it needs.
magnitude(span) = 10.0**floor(log10(span / 4))
tic(span) = magnitude(span) * (span / 4 < 2 * magnitude(span) ? 1 : span / 4 < 5 * magnitude(span) ? 2 : 5)
decimals(span) = sprintf("%%.%df", max(0, -floor(log10(tic(span)) + 1e-9)))

# The smallest whole step of 1, 2 or 5 times a power of ten that gives at most 12 tics.
step = 1
do for [s in "2 5 10 20 50 100 200 500 1000 2000 5000 10000 20000 50000 100000"] {
    if (end / step > 12) { step = int(s) }
}

# Room for the longest name and the lines before it.
right = 1 - (0.0125 * longest + 0.085)
HIGH = 0.88 # upper edge of the upper panel
set border 3 linecolor rgb GREY
set grid ytics linetype 1 linewidth 0.6 linecolor rgb "#E3E3E3"
set xrange [end > 1 ? 1 - 0.02 * (end - 1) : 0.5 : end > 1 ? end + 0.02 * (end - 1) : 1.5]

do for [kind in "svg png pdf"] {
    if (kind eq "svg") {
        set terminal svg size 1000, 720 noenhanced font "Helvetica,16" background "#FFFFFF" linewidth 1.4
    }
    if (kind eq "png") { # twice as many points, for projectors
        set terminal pngcairo size 2000, 1440 noenhanced font "Helvetica,16" fontscale 2 linewidth 2.8 pointscale 2 background "#FFFFFF"
    }
    if (kind eq "pdf") {
        set terminal pdfcairo size 10in, 7.2in noenhanced font "Helvetica,16" fontscale 0.7 linewidth 2 pointscale 0.7 background "#FFFFFF"
    }
    set output "out.".kind
    set multiplot
    # The right margin is reserved for the legend: no curve is drawn below it.
    set lmargin at screen 0.1
    set rmargin at screen right

    set label 2 title at screen 0.1, 0.965 left textcolor rgb DARK font ",17"
    set tmargin at screen HIGH
    set bmargin at screen 0.53
    set label 1 (log ? "loss (logarithmic)" : "loss") at graph 0, 1.07 left textcolor rgb DARK
    set xtics step, step nomirror out scale 0.6 textcolor rgb GREY format ""
    set xtics add ("" 1)
    set ytics nomirror out scale 0.6 textcolor rgb GREY
    if (log) {
        set format y "%g"
        set logscale y
        set yrange [least_positive / 10**(0.05 * decades) : most_loss * 10**(0.05 * decades)]
        set ytics (1)
        do for [d = -9:6] {
            do for [m in (decades < 1.2 ? "1 1.5 2 3 5 7" : decades < 3 ? "1 2 5" : "1")] {
                set ytics add (sprintf("%g", m * 10.0**d) m * 10.0**d)
            }
        }
    } else {
        set yrange [bottom_loss : top_loss]
        set format y decimals(top_loss - bottom_loss)
        set ytics tic(top_loss - bottom_loss)
    }
    unset key
    plot for [i = 1:dashed] file(i) using EPOCH:LOSS with lines linewidth 1.4 dashtype (11, 6) linecolor rgb hue(i), \
         for [i = 1:runs - dashed] file(i) using EPOCH:LOSS with lines linewidth 2 linecolor rgb hue(i), \
         for [i = 1:runs] file(i) using EPOCH:VAL_LOSS with lines linewidth 2 linecolor rgb hue(i), \
         for [i = 1:runs] file(i) using (last[i] == 1 ? 1 : NaN):LOSS with points pointtype 6 pointsize 0.8 linecolor rgb hue(i), \
         for [i = 1:runs] file(i) using ($1 == best[i] ? $1 : NaN):(column(validation[i] ? VAL_LOSS : LOSS)) \
             with points pointtype 7 pointsize 1 linecolor rgb hue(i)

    unset label 2
    unset logscale y
    set format y decimals(top_other - bottom_other)
    set ytics tic(top_other - bottom_other)
    set tmargin at screen 0.455
    set bmargin at screen 0.105
    set label 1 (second eq "rmse" ? "RMSE" : second)
    set yrange [bottom_other : top_other]
    set xtics format "%g"
    set xtics add ("1" 1)
    set xlabel "epoch" offset 0, 0.4 textcolor rgb GREY
    plot for [i = 1:dashed] file(i) using EPOCH:OTHER with lines linewidth 1.4 dashtype (11, 6) linecolor rgb hue(i), \
         for [i = 1:runs - dashed] file(i) using EPOCH:OTHER with lines linewidth 2 linecolor rgb hue(i), \
         for [i = 1:runs] file(i) using EPOCH:VAL_OTHER with lines linewidth 2 linecolor rgb hue(i), \
         for [i = 1:runs] file(i) using (last[i] == 1 ? 1 : NaN):OTHER with points pointtype 6 pointsize 0.8 linecolor rgb hue(i), \
         for [i = 1:runs] file(i) using ($1 == best[i] ? $1 : NaN):(column(validation[i] ? VAL_OTHER : OTHER)) \
             with points pointtype 7 pointsize 1 linecolor rgb hue(i)

    # The legend: an empty plot as high as both panels.
    set tmargin at screen HIGH
    set bmargin at screen 0.02
    unset border
    unset tics
    unset xlabel
    unset label 1
    set yrange [0:1]
    set key at screen right + 0.025, HIGH left top vertical Left reverse samplen 2 spacing 1.25 textcolor rgb DARK font ",14"
    plot for [k = 1:rows] NaN with lines linewidth 2 linecolor rgb (head[k] ? hue(owner[k]) : "#FFFFFF") title row[k], \
         NaN with points pointtype 7 pointsize 0 linecolor rgb "#FFFFFF" title " ", \
         for [k = 1:(validated > 0)] NaN with lines linewidth 2 linecolor rgb GREY title "validation", \
         for [k = 1:(dashed > 0)] NaN with lines linewidth 1.4 dashtype (11, 6) linecolor rgb GREY title "training", \
         for [k = 1:(dashed == 0)] NaN with lines linewidth 2 linecolor rgb GREY title "training", \
         for [k = 1:(short > 0)] NaN with points pointtype 6 pointsize 0.8 linecolor rgb GREY title "training, 1 epoch", \
         NaN with points pointtype 7 pointsize 1 linecolor rgb GREY title "best epoch"
    unset multiplot
    unset output
    set border 3
}

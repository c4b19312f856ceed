# Draws the curves of one or several runs, over the epochs: loss, and accuracy below it; validation
# solid, training dashed, a dot at the best epoch. Writes OUT.svg and OUT.png.
#
#   gnuplot -c jobs/plot_training.gp OUT RUN [RUN ...]
#
# RUN is a run folder, of which there can be 8 (gnuplot takes no more arguments, and does not say so);
# its name stands in the legend. The best epoch is that of the least validation
# loss; where there are no validation rows, of the training loss, which is then solid. Both axes are logarithmic (the
# loss's unless it hardly changes), that of accuracy in the errors, so that 0.99 and 0.995 lie as far
# apart as 0.90 and 0.95. Needs gnuplot 5.2 or newer (Debian: gnuplot-nox).
if (ARGC < 2) { print "usage: gnuplot -c jobs/plot_training.gp OUT RUN [RUN ...]"; exit status 2 }

runs = ARGC - 1
array file[runs]
array name[runs]
array best[runs]     # its best epoch
array shown[runs]    # column of the loss that is drawn solid; the accuracy stands beside it

set datafile separator ","
set datafile missing ""
EPOCH = 1
LOSS = 2
ACCURACY = 3
VAL_LOSS = 4

# What is to be known of a file before its curves are drawn: the column that is drawn solid, its best
# epoch, the last epoch, the least and the most of the losses and of the accuracies below 1.
FACTS = "awk -F, 'NR > 1 { n = $1; a[n] = $2; b[n] = $3; if ($4 != \"\") { c = 4; a[n + 0.5] = $4; b[n + 0.5] = $5 } ". \
    "v = $4 != \"\" ? $4 : $2; if (!best || v + 0 < least) { least = v + 0; best = n } } ". \
    "END { if (!n) exit; for (i in a) { if (!some++) { low = high = a[i]; worst = b[i]; top = 0 } ". \
    "if (a[i] < low) low = a[i]; if (a[i] > high) high = a[i]; if (b[i] < worst) worst = b[i]; if (b[i] > top && b[i] < 1) top = b[i] } ". \
    "printf \"%d %d %d %.12f %.12f %.12f %.12f\", c ? c : 2, best, n, low, high, worst, top }'"
min(a, b) = a < b ? a : b
max(a, b) = a > b ? a : b

# The parts that a long name is broken into, between its words as those of sweeps have them.
FOLD = "awk -F_ '{ line = $1; for (i = 2; i <= NF; i++) if (length(line \"_\" $i) > 24) ". \
    "{ printf \"%s \", line; line = $i } else line = line \"_\" $i; print line }'"

last = 1
least_loss = 1e30
most_loss = 0
least_accuracy = 1
longest = strlen("best epoch") # of the words in the legend
most_accuracy = 0
do for [i = 1:runs] {
    folder = value(sprintf("ARG%d", i + 1))
    file[i] = folder."/metrics.csv"
    name[i] = system('basename -- "'.folder.'" | '.FOLD)
    do for [part in name[i]] { longest = max(longest, strlen(part)) }
    facts = system(FACTS." '".file[i]."' 2>/dev/null")
    if (words(facts) < 7) {
        print file[i].": no epoch to draw, or no such file"
        exit status 3
    }
    shown[i] = int(word(facts, 1))
    best[i] = int(word(facts, 2))
    last = max(last, int(word(facts, 3)))
    least_loss = min(least_loss, real(word(facts, 4)))
    most_loss = max(most_loss, real(word(facts, 5)))
    least_accuracy = min(least_accuracy, real(word(facts, 6)))
    most_accuracy = max(most_accuracy, real(word(facts, 7)))
}
least_loss = max(least_loss, 1e-6)
most_loss = most_loss > least_loss ? most_loss : 2 * least_loss
most_accuracy = min(most_accuracy, 0.9999)
if (most_accuracy <= least_accuracy) { least_accuracy = min(least_accuracy, 0.9); most_accuracy = 0.99 }
decades = log10(most_loss / least_loss)

# Height of an accuracy on its axis: tens of errors avoided.
height(accuracy) = -log10(accuracy < 0.99999 ? 1 - accuracy : 1e-5)

# Okabe and Ito's colours, which colour-blind people can tell apart; yellow is too light for lines.
array colour[8] = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#7F7F7F"]
hue(i) = colour[(i - 1) % 8 + 1]
GREY = "#555555"

# The least whole step of 1, 2 or 5 times a power of ten that gives at most 12 tics.
step = 1
do for [s in "2 5 10 20 50 100 200 500 1000 2000 5000 10000 20000 50000 100000"] {
    if (last / step > 12) { step = int(s) }
}

# Room for the longest name and the lines before it.
right = 1 - (longest < 40 ? 0.012 * longest + 0.105 : 0.585)
set border 3 linecolor rgb GREY
set grid ytics linetype 1 linewidth 0.6 linecolor rgb "#E3E3E3"
set xrange [last > 1 ? 1 - 0.02 * (last - 1) : 0.5 : last > 1 ? last + 0.02 * (last - 1) : 1.5]

do for [kind in "svg png"] {
    if (kind eq "svg") {
        set terminal svg size 1000, 720 noenhanced font "Helvetica,16" background "#FFFFFF" linewidth 1.4
    } else {
        # Twice as many points, for projectors.
        set terminal pngcairo size 2000, 1440 noenhanced font "Helvetica,16" fontscale 2 linewidth 2.8 pointscale 2 background "#FFFFFF"
    }
    set output ARG1.".".kind
    set multiplot
    # The margin on the right is the legend's alone: no curve runs below it.
    set lmargin at screen 0.1
    set rmargin at screen right

    set tmargin at screen 0.935
    set bmargin at screen 0.56
    set label 1 "loss" at graph 0, 1.06 left textcolor rgb "#222222"
    set xtics step nomirror out scale 0.6 textcolor rgb GREY format ""
    set xtics add ("" 1)
    set ytics nomirror out scale 0.6 textcolor rgb GREY
    if (decades < 0.3) {
        set yrange [least_loss - 0.05 * (most_loss - least_loss) : most_loss + 0.05 * (most_loss - least_loss)]
        set ytics autofreq
    } else {
        set logscale y
        set yrange [least_loss / 10**(0.04 * decades) : most_loss * 10**(0.04 * decades)]
        set ytics (1)
        do for [d = -6:4] {
            do for [m in (decades < 1.2 ? "1 1.5 2 3 5 7" : decades < 3 ? "1 2 5" : "1")] {
                set ytics add (sprintf("%g", m * 10.0**d) m * 10.0**d)
            }
        }
    }
    unset key
    plot for [i = 1:runs] file[i] using EPOCH:LOSS skip 1 with lines linewidth 1.4 dashtype (11, 6) linecolor rgb hue(i), \
         for [i = 1:runs] file[i] using EPOCH:shown[i] skip 1 with lines linewidth 2 linecolor rgb hue(i), \
         for [i = 1:runs] file[i] using EPOCH:($1 == best[i] ? column(shown[i]) : NaN) skip 1 with points pointtype 7 pointsize 1 linecolor rgb hue(i)

    set tmargin at screen 0.48
    set bmargin at screen 0.105
    unset logscale y
    set label 1 "accuracy"
    margin = 0.04 * (height(most_accuracy) - height(least_accuracy)) + 0.001
    set yrange [height(least_accuracy) - margin : height(most_accuracy) + margin]
    set xtics format "%g"
    set xtics add ("1" 1)
    set xlabel "epoch" offset 0, 0.4 textcolor rgb GREY
    set ytics ("0" 0)
    # From the top down, those that have room.
    room = 0.075 * (height(most_accuracy) - height(least_accuracy))
    coarse = "0.9999 0.9998 0.9995 0.999 0.998 0.995 0.99 0.98 0.95 0.9 0.8 0.7 0.6 0.5 0.4 0.3 0.2 0.1"
    fine = "0.9999 0.9998 0.9995 0.999 0.998 0.995 0.99 0.985 0.98 0.97 0.96 0.95 0.94 0.92 0.9 0.85 0.8 0.75 0.7 0.65 0.6 ". \
        "0.55 0.5 0.45 0.4 0.35 0.3 0.25 0.2 0.18 0.16 0.14 0.12 0.1 0.08 0.06 0.04 0.02"
    above = 1e9
    do for [a in height(most_accuracy) - height(least_accuracy) < 0.3 ? fine : coarse] {
        if (above - height(real(a)) >= room) {
            set ytics add (a height(real(a)))
            above = height(real(a)) <= height(most_accuracy) ? height(real(a)) : above
        }
    }
    plot for [i = 1:runs] file[i] using EPOCH:(height(column(ACCURACY))) skip 1 with lines linewidth 1.4 dashtype (11, 6) linecolor rgb hue(i), \
         for [i = 1:runs] file[i] using EPOCH:(height(column(shown[i] + 1))) skip 1 with lines linewidth 2 linecolor rgb hue(i), \
         for [i = 1:runs] file[i] using EPOCH:($1 == best[i] ? height(column(shown[i] + 1)) : NaN) skip 1 with points pointtype 7 pointsize 1 linecolor rgb hue(i)

    # The legend, as a plot of nothing that is as high as both.
    set tmargin at screen 0.935
    set bmargin at screen 0.02
    unset border
    unset tics
    unset xlabel
    unset label 1
    set key at screen right + 0.025, 0.935 left top vertical Left reverse samplen 2 spacing 1.3 textcolor rgb "#222222"
    plot for [i = 1:runs] for [k = 1:words(name[i])] NaN with lines linewidth 2 \
             linecolor rgb (k == 1 ? hue(i) : "#FFFFFF") title word(name[i], k), \
         NaN with points pointtype 7 pointsize 0 linecolor rgb "#FFFFFF" title " ", \
         NaN with lines linewidth 2 linecolor rgb GREY title "validation", \
         NaN with lines linewidth 1.4 dashtype (11, 6) linecolor rgb GREY title "training", \
         NaN with points pointtype 7 pointsize 1 linecolor rgb GREY title "best epoch"
    unset multiplot
    unset output
    set border 3
}

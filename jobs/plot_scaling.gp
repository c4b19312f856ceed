# Draws a scaling experiment that `lockstep scaling` has evaluated: speed-up and efficiency over the
# ranks, with the intervals of the medians as error bars and the prediction dashed, and what the ranks'
# time goes to. Writes OUT.svg and OUT.png.
#
#   gnuplot -c jobs/plot_scaling.gp OUT FOLDER
#
# FOLDER holds scaling.csv. Hollow points: more ranks than cores; they show that it works, not how fast.
# The prediction is for as many cores as ranks; its error is the largest of the others. Needs gnuplot 5.2 or newer (Debian: gnuplot-nox).
if (ARGC != 2) { print "usage: gnuplot -c jobs/plot_scaling.gp OUT FOLDER"; exit status 2 }
file = ARG2."/scaling.csv"

set datafile separator ","
set datafile missing ""
RANKS = 1
CROWDED = 4
SPEEDUP = 11
EFFICIENCY = 14
COMPUTE = 20
PREDICTED = 27
ERROR = 28

# Rows, least and most ranks, most speed-up measured or predicted, rows with a prediction, its largest
# error where ranks have cores of their own, whether some rank has none, the best efficiency, the least speed-up.
FACTS = "awk -F, 'NR == 1 { ok = $1 == \"ranks\" && $28 == \"prediction_error\"; next } ok { n++; if (n == 1) { first = $1; low = $12 } last = $1; if ($12 < low) low = $12; ". \
    "if ($13 > top) top = $13; if ($16 > best) best = $16; if ($27 != \"\") { p++; if (!$4 && $27 > top) top = $27; e = $28 < 0 ? -$28 : $28; if (!$4 && e > worst) worst = e; if (!$4 && $27 / $1 > best) best = $27 / $1 } if ($4) crowded = 1 } ". \
    "END { if (n) printf \"%d %d %d %.6f %d %.6f %d %.6f %.6f\", n, first, last, top, p, worst, crowded, best, low }'"
facts = system(FACTS." '".file."' 2>/dev/null")
if (words(facts) < 9) { print file.": no rows to draw, or no such file"; exit status 3 }
rows = int(word(facts, 1))
fewest = int(word(facts, 2))
largest = int(word(facts, 3))
top = real(word(facts, 4))
predicted = int(word(facts, 5)) > 0 # 1 or 0, as the next but one
worst = real(word(facts, 6))
crowded = int(word(facts, 7))
best = real(word(facts, 8)) # efficiency, measured or predicted
bottom = real(word(facts, 9)) # speed-up, with its interval
mode = system("sed -n '2s/.*\"mode\": *\"\\([a-z]*\\)\".*/, \\1 scaling/p' '".ARG2."/scaling.json' 2>/dev/null")
max(a, b) = a > b ? a : b

# Okabe and Ito's colours, which colour-blind people can tell apart.
MEASURED = "#0072B2"
FORESEEN = "#D55E00"
GREY = "#555555"
array phase[4] = ["computing", "communicating", "exchanging", "rest"]
array colour[4] = ["#0072B2", "#E69F00", "#009E73", "#BBBBBB"]

alone(value, crowd) = crowd > 0 ? NaN : value
shared(value, crowd) = crowd > 0 ? value : NaN

do for [kind in "svg png"] {
    if (kind eq "svg") {
        set terminal svg size 1320, 480 noenhanced font "Helvetica,15" background "#FFFFFF" linewidth 1.4
    } else {
        # Twice as many points, for projectors.
        set terminal pngcairo size 2640, 960 noenhanced font "Helvetica,15" fontscale 2 linewidth 2.8 pointscale 2 background "#FFFFFF"
    }
    set output ARG1.".".kind
    set multiplot
    set border 3 linecolor rgb GREY
    set grid ytics linetype 1 linewidth 0.6 linecolor rgb "#E3E3E3"
    set tics nomirror out scale 0.6 textcolor rgb GREY
    set tmargin at screen 0.88
    set bmargin at screen 0.15
    set xlabel "ranks" offset 0, 0.3 textcolor rgb GREY
    unset key

    # Ranks double, and so do the tics; each number of ranks that there is has one of its own.
    set logscale x 2
    set xrange [fewest / 1.2 : largest * 1.2]
    set xtics () font ",14"
    do for [i = 1:rows] {
        here = int(system(sprintf("awk -F, 'NR == %d { print $1 }' '%s'", i + 1, file)))
        set xtics add (sprintf("%d", here) here)
    }

    set lmargin at screen 0.05
    set rmargin at screen 0.28
    set label 1 "speed-up".mode at graph 0, 1.06 left textcolor rgb "#222222"
    set logscale y 2
    set yrange [0.9 * (bottom < fewest ? bottom : fewest) : max(top, largest) * 1.25]
    set arrow 1 from fewest, fewest to largest, largest nohead linewidth 1.2 linecolor rgb "#AAAAAA" back
    plot for [k = 1:predicted] file using RANKS:PREDICTED skip 1 with lines linewidth 2 dashtype (9, 6) linecolor rgb FORESEEN, \
         file using RANKS:SPEEDUP:SPEEDUP+1:SPEEDUP+2 skip 1 with yerrorbars pointtype 0 linewidth 1.5 linecolor rgb MEASURED, \
         file using RANKS:SPEEDUP skip 1 with lines linewidth 1.4 linecolor rgb MEASURED, \
         file using RANKS:(alone($11, $4)) skip 1 with points pointtype 7 pointsize 0.9 linecolor rgb MEASURED, \
         for [k = 1:crowded] file using RANKS:(shared($11, $4)) skip 1 with points pointtype 6 pointsize 0.9 linecolor rgb MEASURED

    set lmargin at screen 0.345
    set rmargin at screen 0.56
    set label 1 "efficiency"
    unset logscale y
    set format y "%g %%"
    set yrange [0 : 100 * max(1.08, 1.04 * best)]
    set key default
    set key at screen 0.785, 0.15 left bottom vertical Left reverse samplen 1.6 spacing 1.3 textcolor rgb "#222222" font ",13"
    set arrow 1 from fewest, 100 to largest, 100 nohead linewidth 1.2 linecolor rgb "#AAAAAA" back
    plot NaN with lines linewidth 1.2 linecolor rgb "#AAAAAA" title "ideal", \
         for [k = 1:predicted] file using RANKS:(100 * $27 / $1) skip 1 with lines linewidth 2 dashtype (9, 6) linecolor rgb FORESEEN \
             title sprintf("predicted, within %.0f %%", 100 * worst), \
         file using RANKS:(100 * $14):(100 * $15):(100 * $16) skip 1 with yerrorbars pointtype 0 linewidth 1.5 linecolor rgb MEASURED notitle, \
         file using RANKS:(100 * $14) skip 1 with lines linewidth 1.4 linecolor rgb MEASURED notitle, \
         file using RANKS:(alone(100 * $14, $4)) skip 1 with points pointtype 7 pointsize 0.9 linecolor rgb MEASURED title "median, interval", \
         for [k = 1:crowded] file using RANKS:(shared(100 * $14, $4)) skip 1 with points pointtype 6 pointsize 0.9 linecolor rgb MEASURED \
             title "more ranks than cores"

    set lmargin at screen 0.635
    set rmargin at screen 0.77
    set label 1 "a rank's time in an epoch"
    unset arrow 1
    unset logscale x
    unset xtics
    set xtics nomirror out scale 0.6 textcolor rgb GREY font ",14"
    set xrange [-0.6 : rows - 0.4]
    set yrange [0:100]
    set style data histograms
    set style histogram rowstacked
    set style fill solid 0.9 border rgb "#FFFFFF"
    set boxwidth 0.7
    set key default
    set key at screen 0.785, 0.88 left top vertical Left reverse invert samplen 0.8 spacing 1.3 textcolor rgb "#222222" font ",13"
    plot for [k = 1:4] file using (100 * column(COMPUTE + k - 1)):xtic(1) skip 1 linecolor rgb colour[k] title phase[k]
    unset multiplot
    unset output
    unset format
    unset logscale
    unset label 1
    set style data points
    set style fill empty
}

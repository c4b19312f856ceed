# Draws the figure of plot_scaling.sh, which writes facts.gp and scaling.csv to the working folder. Not for direct use.
if (ARGC > 0) { print "plot_scaling.gp is a part of plot_scaling.sh: jobs/plot_scaling.sh OUT FOLDER"; exit status 2 }
set encoding utf8
set decimalsign "."
load "facts.gp"

set datafile separator ","
set datafile missing ""
file = "scaling.csv"
RANKS = 1
SPEEDUP = 11
COMPUTE = 20
PREDICTED = 27
predicted = predicted && rows > 1 # a line needs two points
fewest = ranks[1]
largest = ranks[rows]
max(a, b) = a > b ? a : b
min(a, b) = a < b ? a : b

# Okabe and Ito's palette, distinguishable by colour-blind readers.
MEASURED = "#0072B2"
PREDICTED = "#D55E00"
GREY = "#555555"
DARK = "#222222"
array phase[4] = ["computing", "communicating", "exchanging", "rest"]
array colour[4] = ["#0072B2", "#E69F00", "#009E73", "#BBBBBB"]

alone(value, crowd) = crowd > 0 ? NaN : value
shared(value, crowd) = crowd > 0 ? value : NaN

# The height of the caption, in points from the bottom of the page.
PANELS = 300
LINE = 22
BELOW = 90 + LINE * lines
height = BELOW + PANELS + 95
y(points) = points / real(height)

do for [kind in "svg png pdf"] {
    if (kind eq "svg") {
        set terminal svg size 1480, height noenhanced font "Helvetica,15" background "#FFFFFF" linewidth 1.4
    }
    if (kind eq "png") { # twice as many points, for projectors
        set terminal pngcairo size 2960, 2 * height noenhanced font "Helvetica,15" fontscale 2 linewidth 2.8 pointscale 2 background "#FFFFFF"
    }
    if (kind eq "pdf") {
        set terminal pdfcairo size 14.8in, (height / 100.0)in noenhanced font "Helvetica,15" fontscale 0.7 linewidth 2 pointscale 0.7 background "#FFFFFF"
    }
    set output "out.".kind
    set multiplot
    set border 3 linecolor rgb GREY
    set grid ytics linetype 1 linewidth 0.6 linecolor rgb "#E3E3E3"
    set tics nomirror out scale 0.6 textcolor rgb GREY
    set tmargin at screen y(BELOW + PANELS)
    set bmargin at screen y(BELOW)
    set xlabel "ranks" offset 0, 0.3 textcolor rgb GREY
    unset key

    set label 10 title at screen 0.05, y(height - 26) left textcolor rgb DARK font ",18"
    do for [i = 1:lines] {
        set label (10 + i) line[i] at screen 0.05, y(LINE * (lines - i) + 20) left textcolor rgb GREY font ",12"
    }

    # The axis of ranks is logarithmic, with a tic for each measured number of ranks.
    set logscale x 2
    set xrange [fewest / 1.2 : largest * 1.2]
    set xtics () font ",14"
    labelled = 4.0 * largest
    do for [k = 1:rows] { # from the right; a label where there is room
        here = ranks[rows + 1 - k]
        fits = log(labelled / here) > (0.04 + 0.035 * strlen(sprintf("%d", here))) * log(max(2, largest / real(fewest)))
        set xtics add (fits ? sprintf("%d", here) : "" here)
        labelled = fits ? here : labelled
    }

    set lmargin at screen 0.05
    set rmargin at screen 0.225
    set label 1 "speed-up" at graph 0, 1.08 left textcolor rgb DARK
    set logscale y 2
    set format y "%g"
    set yrange [0.9 * min(bottom, fewest) : max(top, largest) * 1.2]
    set arrow 1 from fewest, fewest to largest, largest nohead linewidth 1.2 linecolor rgb "#AAAAAA" back
    plot for [k = 1:predicted] file using RANKS:PREDICTED skip 1 with lines linewidth 2 dashtype (9, 6) linecolor rgb PREDICTED, \
         file using RANKS:SPEEDUP:SPEEDUP+1:SPEEDUP+2 skip 1 with yerrorbars pointtype 0 linewidth 1.5 linecolor rgb MEASURED, \
         file using RANKS:SPEEDUP skip 1 with lines linewidth 1.4 linecolor rgb MEASURED, \
         file using RANKS:(alone($11, $4)) skip 1 with points pointtype 7 pointsize 0.9 linecolor rgb MEASURED, \
         for [k = 1:crowded] file using RANKS:(shared($11, $4)) skip 1 with points pointtype 6 pointsize 0.9 linecolor rgb MEASURED
    do for [i = 10:10 + lines] { unset label i }

    set lmargin at screen 0.285
    set rmargin at screen 0.465
    set label 1 "efficiency"
    unset logscale y
    set format y "%g %%"
    set yrange [0 : 100 * max(1.08, 1.04 * best)]
    set ytics 20 * ceil(max(1, best / 1.6))
    set key at screen 0.475, y(BELOW + PANELS) left top vertical Left reverse noinvert samplen 1.6 spacing 1.4 textcolor rgb DARK font ",13"
    set arrow 1 from fewest, 100 to largest, 100 nohead linewidth 1.2 linecolor rgb "#AAAAAA" back
    plot NaN with lines linewidth 1.2 linecolor rgb "#AAAAAA" title "ideal", \
         for [k = 1:predicted] file using RANKS:(100 * $27 / $1) skip 1 with lines linewidth 2 dashtype (9, 6) linecolor rgb PREDICTED \
             title sprintf("predicted, within %.0f %%", 100 * worst), \
         file using RANKS:(100 * $14):(100 * $15):(100 * $16) skip 1 with yerrorbars pointtype 0 linewidth 1.5 linecolor rgb MEASURED notitle, \
         file using RANKS:(100 * $14) skip 1 with lines linewidth 1.4 linecolor rgb MEASURED notitle, \
         file using RANKS:(alone(100 * $14, $4)) skip 1 with points pointtype 7 pointsize 0.9 linecolor rgb MEASURED title "measured, median", \
         for [k = 1:crowded] file using RANKS:(shared(100 * $14, $4)) skip 1 with points pointtype 6 pointsize 0.9 linecolor rgb MEASURED \
             title "more ranks than cores"

    set lmargin at screen 0.7
    set rmargin at screen 0.855
    set label 1 "time of an epoch"
    unset arrow 1
    unset logscale x
    unset xtics
    set xtics nomirror out scale 0.6 textcolor rgb GREY font ",14"
    if (rows * strlen(sprintf("%d", largest)) > 15) { set xtics rotate by 90 right }
    set xrange [-0.6 : rows - 0.4]
    set yrange [0:100]
    set ytics 20
    set style data histograms
    set style histogram rowstacked
    set style fill solid 0.9 border rgb "#FFFFFF"
    set boxwidth 0.7
    set key at screen 0.86, y(BELOW + PANELS) left top vertical Left reverse invert samplen 0.8 spacing 1.4 textcolor rgb DARK font ",13"
    plot for [k = 1:4] file using (100 * column(COMPUTE + k - 1)):xtic(1) skip 1 linecolor rgb colour[k] title phase[k]
    unset multiplot
    unset output
    unset format
    unset logscale
    unset label 1
    set xtics norotate center
    set ytics autofreq
    set style data points
    set style fill empty
}

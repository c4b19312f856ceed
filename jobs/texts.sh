#!/usr/bin/env bash
# Makes two data sets from the King James Version of the Bible, as Debian's package bible-kjv has it (public domain):
# its verses, with the part of the Bible that each is from as its class, and its text for predicting the next character.
#
#   texts.sh FOLDER     writes into FOLDER, which is made:
#       verses.h5       verses of nine in ten chapters to train on, of every tenth to test; 8 classes:
#                       law, history, wisdom, prophets, gospels, acts, letters, revelation
#       verses.csv, verses-test.csv     the same as tables
#       pairs.h5        the same verses, each followed by its pairs of neighbouring words as words of their own, in'the,
#                       if they occur twice or more in verses to train on
#       pairs.csv, pairs-test.csv       the same as tables
#       kjv.h5          rows of 128 characters; the last tenth of the text to test
#       kjv.txt         the text, a verse on each line
#
# Needs the program `bible` (jobs/dependencies.sh text) and lockstep: $LOCKSTEP, the installed one, or the quickstart's
# build. A baseline for the verses, by scikit-learn:
#
#   /usr/bin/python3 jobs/bags_of_words.py FOLDER/verses.csv FOLDER/verses-test.csv
set -euo pipefail
# shellcheck source=jobs/common.sh
. "$(dirname "$0")/common.sh"
[ "${1:-}" != --help ] || usage 0
[ $# = 1 ] || misuse "one argument is needed, a folder"
refuse_options "$1"
find_lockstep
command -v bible >/dev/null || die "there is no program bible: jobs/dependencies.sh text installs it"
mkdir -p "$1"

# Lines such as "1Sm2:3 Talk no more ...": the books are known by their order.
bible -f 'Gen1:1-Rev22:21' >"$1/lines"
awk -v folder="$1" '
    function part(book) {
        return book <= 5 ? "law" : book <= 17 ? "history" : book <= 22 ? "wisdom" : book <= 39 ? "prophets" : \
            book <= 43 ? "gospels" : book == 44 ? "acts" : book <= 65 ? "letters" : "revelation"
    }
    BEGIN {
        train = folder "/verses.csv"; test = folder "/verses-test.csv"; text = folder "/kjv.txt"
        print "part,verse" >train
        print "part,verse" >test
    }
    {
        verse = substr($0, index($0, " ") + 1)
        chapter = $1; sub(/:.*/, "", chapter)
        name = chapter; sub(/[0-9]+$/, "", name)
        if (name != book) { book = name; books++ }
        if (chapter != last) { last = chapter; chapters++ }
        print verse >text
        gsub(/"/, "\"\"", verse)
        print part(books) ",\"" verse "\"" >(chapters % 10 == 0 ? test : train)
    }
    END { if (books != 66 || chapters != 1189 || NR != 31102) { print "unexpected text of bible" >"/dev/stderr"; exit 1 } }' "$1/lines"
rm "$1/lines"
"$lockstep" import --text "$1/verses.csv" --text-test "$1/verses-test.csv" --target part --name verses --out "$1/verses.h5"

# Verses are the second column, in quotes.
awk -v folder="$1" '
    function words_of(text) { text = tolower(text); gsub(/[^a-z\047]+/, " ", text); return text }
    FNR == 1 { file++; head = $0; next }
    {
        comma = index($0, ",")
        part[file, FNR] = substr($0, 1, comma - 1)
        verse[file, FNR] = substr($0, comma + 2, length($0) - comma - 2)
        lines[file] = FNR
        n = split(words_of(verse[file, FNR]), word, " ")
        for (i = 1; file == 1 && i < n; i++) count[word[i] "\047" word[i + 1]]++
    }
    END {
        for (file = 1; file <= 2; file++) {
            out = folder (file == 1 ? "/pairs.csv" : "/pairs-test.csv")
            print head >out
            for (k = 2; k <= lines[file]; k++) {
                n = split(words_of(verse[file, k]), word, " ")
                line = verse[file, k]
                for (i = 1; i < n; i++) if (count[word[i] "\047" word[i + 1]] > 1) line = line " " word[i] "\047" word[i + 1]
                print part[file, k] ",\"" line "\"" >out
            }
        }
    }' "$1/verses.csv" "$1/verses-test.csv"
"$lockstep" import --text "$1/pairs.csv" --text-test "$1/pairs-test.csv" --target part --vocabulary 100000 --name pairs --out "$1/pairs.h5"
"$lockstep" import --text "$1/kjv.txt" --characters --steps 128 --name kjv --out "$1/kjv.h5"

# Writes the manual pages (the program prints the pages of itself and its commands; the others are converted from Markdown)
# and the completion scripts.
#   cmake -DPROGRAM=FILE -DOUT=FOLDER "-DPAGES=FILE;..." -DDATE=YYYY-MM-DD -DVERSION=TEXT [-DLOWDOWN=FILE] -P pages.cmake

function(print_page out)
    execute_process(COMMAND ${PROGRAM} help ${ARGN} --man OUTPUT_FILE ${out} RESULT_VARIABLE code)
    if(NOT code EQUAL 0)
        message(FATAL_ERROR "${PROGRAM} help ${ARGN} --man: ${code}")
    endif()
endfunction()

# lowdown uses the font \fC, which only groff has, and begins each section with an extra paragraph. Names and code
# must not be hyphenated (.nh), and long ones leave lines that can't be adjusted (.ad l).
function(convert path name section title)
    file(READ ${path} text)
    string(FIND "${text}" "\n" end)
    string(SUBSTRING "${text}" ${end} -1 text)
    string(PREPEND text "## NAME\n\nlockstep-${name} - ${title}\n")
    string(TOUPPER lockstep-${name} upper)
    file(WRITE ${OUT}/page.md "${text}")
    execute_process(COMMAND ${LOWDOWN} -s -tman --nroff-nolinks --out-no-smarty -M shiftheadinglevelby=-1
            -M title=${upper} -M section=${section} -M date=${DATE} -M "source=Lockstep ${VERSION}"
            -M volume=Lockstep ${OUT}/page.md
        OUTPUT_VARIABLE roff RESULT_VARIABLE code)
    if(NOT code EQUAL 0)
        message(FATAL_ERROR "${LOWDOWN}: ${path}: ${code}")
    endif()
    string(REPLACE "\\fC" "\\fB" roff "${roff}")
    string(REGEX REPLACE "(\n\\.S[HS]\n[^\n]+\n)\\.(LP|PP)\n" "\\1" roff "${roff}")
    string(REGEX REPLACE "(\n\\.TH [^\n]+\n)" "\\1.nh\n.ad l\n" roff "${roff}")
    file(WRITE ${OUT}/man/man${section}/lockstep-${name}.${section} "${roff}")
    file(REMOVE ${OUT}/page.md)
endfunction()

file(REMOVE_RECURSE ${OUT})
file(MAKE_DIRECTORY ${OUT}/man/man1)
print_page(${OUT}/man/man1/lockstep.1)
execute_process(COMMAND ${PROGRAM} help --list OUTPUT_VARIABLE commands OUTPUT_STRIP_TRAILING_WHITESPACE)
string(REPLACE "\n" ";" commands "${commands}")
foreach(command IN LISTS commands)
    print_page(${OUT}/man/man1/lockstep-${command}.1 ${command})
endforeach()
if(LOWDOWN)
    foreach(path IN LISTS PAGES)
        file(STRINGS ${path} line LIMIT_COUNT 1)
        string(REGEX MATCH "^# lockstep-([a-z]+)\\(([57])\\): (.+)$" line "${line}")
        convert(${path} ${CMAKE_MATCH_1} ${CMAKE_MATCH_2} "${CMAKE_MATCH_3}")
    endforeach()
endif()
foreach(shell IN ITEMS bash zsh)
    execute_process(COMMAND ${PROGRAM} help --completion ${shell} OUTPUT_FILE ${OUT}/completion.${shell})
endforeach()

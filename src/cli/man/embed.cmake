# Writes a C file with embedded texts: the pages of the manual, and the completion scripts.
#   cmake -DOUT=FILE "-DPAGES=FILE;..." "-DTEXTS=FILE;..." -P embed.cmake
# The name of a page is lockstep-NAME.SECTION.md; its first line is '# lockstep-NAME(SECTION): title'.

function(bytes path out)
    file(READ ${path} hex HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex "${hex}")
    set(${out} "${hex}" PARENT_SCOPE)
endfunction()

set(arrays "")
set(rows "")
foreach(path IN LISTS PAGES)
    get_filename_component(file ${path} NAME)
    if(NOT file MATCHES "^lockstep-([a-z]+)\\.([57])\\.md$")
        message(FATAL_ERROR "${path}: not called lockstep-NAME.SECTION.md")
    endif()
    set(name ${CMAKE_MATCH_1})
    set(section ${CMAKE_MATCH_2})
    file(STRINGS ${path} line LIMIT_COUNT 1)
    if(NOT line MATCHES "^# lockstep-${name}\\(${section}\\): ([^\"\\]+)$")
        message(FATAL_ERROR "${path}: does not begin with '# lockstep-${name}(${section}): title'")
    endif()
    set(title ${CMAKE_MATCH_1})
    bytes(${path} hex)
    string(APPEND arrays "static const unsigned char page_${name}[] = {${hex}};\n")
    string(APPEND rows "    {\"${name}\", ${section}, \"${title}\", (const char *)page_${name}, sizeof page_${name}},\n")
endforeach()
foreach(path IN LISTS TEXTS)
    get_filename_component(name ${path} NAME_WE)
    bytes(${path} hex)
    string(APPEND arrays "const unsigned char ls_completion_text_${name}[] = {${hex}};\n"
        "const size_t ls_completion_text_${name}_length = sizeof ls_completion_text_${name};\n")
endforeach()
file(WRITE ${OUT} "#include \"cli/completion_text.h\"\n#include \"cli/topics.h\"\n\n${arrays}
static const ls_topic topics[] = {
${rows}};

bool ls_topic_at(int at, ls_topic *out)
{
    if (at >= (int)(sizeof topics / sizeof *topics))
        return false;
    *out = topics[at];
    return true;
}
")

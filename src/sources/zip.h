/* ZIP archives, as NumPy writes them: members that are stored or deflated, also of more than 4 GiB;
 * and plain files, which are read in the same way. All functions are Local.
 *
 * Errors: LS_ERR_DATA for a file that is missing, damaged, or of a kind that is not supported;
 * LS_ERR_FAILURE if memory is short. */
#ifndef LS_SOURCES_ZIP_H
#define LS_SOURCES_ZIP_H

#include <stddef.h>
#include <stdint.h>

#include <lockstep/status.h>

typedef struct ls_zip ls_zip;       /* the table of contents of an archive */
typedef struct ls_member ls_member; /* content being read from its beginning to its end */

/* Reads the table of contents. */
ls_status ls_zip_open(ls_zip **out, const char *path) LS_MUST_CHECK;

/* Return the number of members, and a member's name, borrowed. */
int64_t ls_zip_count(const ls_zip *zip);
const char *ls_zip_name(const ls_zip *zip, int64_t at);

/* Returns a member's number by its name; -1 if there is none. */
int64_t ls_zip_find(const ls_zip *zip, const char *name);

/* Frees and sets *zip to NULL; accepts NULL. Members stay open. */
void ls_zip_close(ls_zip **zip);

/* Open a member of an archive, or a plain file. Sizes are checked: a member claims no more than its
 * bytes can become. */
ls_status ls_member_open(ls_member **out, const ls_zip *zip, int64_t at) LS_MUST_CHECK;
ls_status ls_member_open_file(ls_member **out, const char *path) LS_MUST_CHECK;

/* Returns "path" or "path: name", for messages; borrowed. */
const char *ls_member_name(const ls_member *member);

/* Returns the bytes that are still to be read. */
int64_t ls_member_left(const ls_member *member);

/* Reads the next bytes. At the end of a member its checksum is verified. */
ls_status ls_member_read(ls_member *member, void *out, size_t bytes) LS_MUST_CHECK;

/* Closes, frees and sets *member to NULL; accepts NULL. */
void ls_member_close(ls_member **member);

#endif

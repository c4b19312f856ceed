/* Status codes, and one line of error text per failure.
 *
 * A function that can fail returns an ls_status. Non-zero codes are made by ls_fail() only, which
 * also keeps one line of text: the failure, its place, and a remedy. The codes are the program's
 * exit codes. The text is kept per thread until the next ls_fail(). */
#ifndef LOCKSTEP_STATUS_H
#define LOCKSTEP_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define LS_MUST_CHECK      __attribute__((warn_unused_result))
#define LS_PRINTF(fmt, at) __attribute__((format(printf, fmt, at)))
#else
#define LS_MUST_CHECK
#define LS_PRINTF(fmt, at)
#endif

/*      name                value  meaning */
#define LS_STATUS_LIST(X)                                                                          \
    X(LS_OK, 0, "done")                                                                            \
    X(LS_ERR_FAILURE, 1, "failure")                                                                \
    X(LS_ERR_USAGE, 2, "usage or configuration")                                                   \
    X(LS_ERR_DATA, 3, "data or checkpoint file missing, unreadable or malformed")                  \
    X(LS_ERR_NUMERIC, 4, "numerical failure")                                                      \
    X(LS_ERR_RANKS, 5, "ranks disagree, or one is stuck")                                          \
    X(LS_INTERRUPTED, 75, "interrupted, progress is saved: run again to resume")

typedef enum ls_status {
#define LS_STATUS_ENUM(name, value, text) name = (value),
    LS_STATUS_LIST(LS_STATUS_ENUM)
#undef LS_STATUS_ENUM
} ls_status;

/* Records the text of a failure and returns its code, for `return ls_fail(...)`. Local.
 * code    not LS_OK
 * format  as for printf(); a text longer than LS_ERROR_TEXT_MAX - 1 bytes is cut */
ls_status ls_fail(ls_status code, const char *format, ...) LS_PRINTF(2, 3);

#define LS_ERROR_TEXT_MAX 1024

/* Returns the text of this thread's latest failure, "" if there was none. Local. Borrowed until the
 * next ls_fail() of the thread. */
const char *ls_error_text(void);

/* Returns the meaning of a code, in a few words. Local. */
const char *ls_status_meaning(ls_status status);

#ifdef __cplusplus
}
#endif

#endif

/* Included by every test: cmocka, the headers that it requires, and additional assertions. */
#ifndef LS_TESTS_TEST_H
#define LS_TESTS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <lockstep/status.h>

/* Returns the stride of tests over many cases: 1, or $LOCKSTEP_TEST_STRIDE where all cases would
 * take too long. */
static inline int test_stride(void)
{
    const char *stride = getenv("LOCKSTEP_TEST_STRIDE");
    return stride != NULL && atoi(stride) > 0 ? atoi(stride) : 1;
}

/* Asserts that the call succeeds; shows the error text if not. */
#define assert_ok(call)                                                                            \
    do {                                                                                           \
        ls_status status_ = (call);                                                                \
        if (status_ != LS_OK)                                                                      \
            fail_msg("%s: status %d: %s", #call, (int)status_, ls_error_text());                   \
    } while (0)

/* Asserts that the call fails with this code and that the error text contains `part`. */
#define assert_fails(call, code, part)                                                             \
    do {                                                                                           \
        assert_int_equal((call), (code));                                                          \
        if (strstr(ls_error_text(), (part)) == NULL)                                               \
            fail_msg("'%s' does not contain '%s'", ls_error_text(), (part));                       \
    } while (0)

/* |a - b| <= relative * max(|a|, |b|) + absolute */
#define assert_near(a, b, relative, absolute)                                                      \
    do {                                                                                           \
        double a_ = (a), b_ = (b), larger_ = fabs(a_) > fabs(b_) ? fabs(a_) : fabs(b_);            \
        if (!(fabs(a_ - b_) <= (relative)*larger_ + (absolute)))                                   \
            fail_msg("%s = %.9g is not near %s = %.9g", #a, a_, #b, b_);                           \
    } while (0)

#endif

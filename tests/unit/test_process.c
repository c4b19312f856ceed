/* What a process does about signals, limits and children. */
#include "test.h"

#include "base/child.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/limits.h"
#include "base/mac.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void reset(void)
{
    static const int numbers[] = {SIGUSR1, SIGUSR2, SIGTERM, SIGINT, SIGHUP};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        signal(numbers[i], SIG_DFL);
    ls_interrupt_set(0);
    ls_interrupt_at(INFINITY);
}

static void notes_the_first_signal(void **state)
{
    (void)state;
    reset();
    ls_interrupt_watch();
    assert_true(ls_interrupt_age() == -INFINITY);
    assert_ok(ls_interrupt_poll(0));
    assert_int_equal(raise(SIGHUP), 0);
    assert_int_equal(ls_interrupt_signal(), SIGHUP);
    assert_string_equal(ls_interrupt_name(SIGHUP), "SIGHUP");
    assert_fails(ls_interrupt_poll(0), LS_INTERRUPTED, "stopped by SIGHUP");
    /* The same request twice, as a closing terminal sends it, is one. */
    assert_int_equal(raise(SIGHUP), 0);
    assert_int_equal(raise(SIGTERM), 0);
    assert_int_equal(ls_interrupt_signal(), SIGHUP);
    assert_ok(ls_interrupt_poll(1000));
    reset();
}

static void an_ignored_signal_stays_ignored(void **state)
{
    (void)state;
    reset();
    signal(SIGINT, SIG_IGN); /* as the shell has it for a command in the background */
    signal(SIGHUP, SIG_IGN); /* as nohup has it */
    ls_interrupt_watch();
    assert_int_equal(raise(SIGINT), 0);
    assert_int_equal(raise(SIGHUP), 0);
    assert_int_equal(ls_interrupt_signal(), 0);
    assert_int_equal(raise(SIGTERM), 0);
    assert_int_equal(ls_interrupt_signal(), SIGTERM);
    reset();
}

static void a_moment_asks_for_the_end(void **state)
{
    (void)state;
    reset();
    ls_interrupt_at(ls_now() + 100);
    assert_true(ls_interrupt_age() < -99 && ls_interrupt_age() > -101);
    assert_ok(ls_interrupt_poll(0));
    ls_interrupt_at(ls_now() - 1);
    assert_fails(ls_interrupt_poll(0.5), LS_INTERRUPTED, "stopped by the time limit");
    reset();
}

static void writers_get_an_error(void **state)
{
    (void)state;
    int ends[2];
    struct rlimit before, small;
    ls_interrupt_spare_writers();
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    assert_int_equal(write(ends[1], "x", 1), -1);
    assert_int_equal(errno, EPIPE);
    close(ends[1]);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 4;
    const int file = open("limited", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_int_equal(write(file, "12345678", 8), 4);
    const ssize_t more = write(file, "5678", 4);
    const int reason = errno;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(more, -1);
    assert_int_equal(reason, EFBIG);
    close(file);
}

static ls_status crash(const void *arg)
{
    (void)arg;
    abort();
}

static ls_status be_killed(const void *arg)
{
    (void)arg;
    raise(SIGKILL);
    return LS_OK;
}

static ls_status go_round(const void *arg)
{
    for (volatile int64_t i = 0;; i++)
        if (i < 0)
            return arg == NULL;
}

static ls_status wait_long(const void *arg)
{
    (void)arg;
    sleep(60);
    return LS_OK;
}

static ls_status find_fault(const void *arg)
{
    return ls_fail(LS_ERR_DATA, "%s: found", (const char *)arg);
}

static void the_end_of_a_child_is_named(void **state)
{
    (void)state;
    reset();
    assert_fails(ls_in_child(find_fault, "f", "f", 5), LS_ERR_DATA, "f: found");
    assert_fails(ls_in_child(crash, NULL, "f", 5), LS_ERR_DATA,
                 "f: damaged: the HDF5 library crashes on it");
    assert_fails(ls_in_child(go_round, NULL, "f", 1), LS_ERR_DATA,
                 "reading exceeds its time limit");
    assert_fails(ls_in_child(be_killed, NULL, "f", 5), LS_ERR_FAILURE, "was killed by signal 9");
}

/* A signal is heard while a child is at work. */
static void waiting_for_a_child_can_be_stopped(void **state)
{
    (void)state;
    reset();
    const double begin = ls_now();
    ls_interrupt_at(begin + 0.2);
    assert_fails(ls_in_child(wait_long, NULL, "f", 100), LS_INTERRUPTED, "the time limit");
    assert_true(ls_now() - begin < 20);
    reset();
}

static void short_resources_are_named(void **state)
{
    (void)state;
    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    /* The limit in force is raised as far as it may be. */
    small = before;
    small.rlim_cur = 20;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &small), 0);
    assert_ok(ls_limits_allow_files(64));
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &small), 0);
    assert_int_equal(small.rlim_cur, 64);
    int file[64], opened = 0;
    while (opened < 64 && (file[opened] = open("/dev/null", O_RDONLY)) >= 0)
        opened++;
    assert_fails(ls_limits_try_shared_memory(), LS_ERR_FAILURE, "Too many open files");
    close(file[--opened]);
    close(file[--opened]);
    assert_fails(ls_limits_try_files(3), LS_ERR_FAILURE, "Too many open files: see ulimit -n");
    assert_ok(ls_limits_try_files(2)); /* nothing stays open */
    assert_ok(ls_limits_try_shared_memory());
    while (opened > 0)
        close(file[--opened]);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

/* Against Python's hmac module. */
static void keyed_hashes(void **state)
{
    (void)state;
    static const uint8_t expected[2][LS_MAC_BYTES] = {
        {0x09, 0x98, 0x05, 0xf4, 0xac, 0x31, 0x07, 0x86, 0x96, 0x85, 0x65, 0xc0, 0x98, 0xdb, 0x51,
         0x5c},
        {0xd3, 0x8b, 0x42, 0x09, 0x6d, 0x80, 0xf4, 0x5f, 0x82, 0x6b, 0x44, 0xa9, 0xd5, 0x60, 0x7d,
         0xe7}};
    static const char text[] = "what do ya want for nothing?";
    uint8_t key[LS_MAC_KEY], mac[LS_MAC_BYTES];
    for (int i = 0; i < LS_MAC_KEY; i++)
        key[i] = (uint8_t)i;
    ls_mac(key, text, strlen(text), mac);
    assert_memory_equal(mac, expected[0], sizeof mac);
    ls_mac(key, "", 0, mac);
    assert_memory_equal(mac, expected[1], sizeof mac);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notes_the_first_signal),
        cmocka_unit_test(an_ignored_signal_stays_ignored),
        cmocka_unit_test(a_moment_asks_for_the_end),
        cmocka_unit_test(writers_get_an_error),
        cmocka_unit_test(the_end_of_a_child_is_named),
        cmocka_unit_test(waiting_for_a_child_can_be_stopped),
        cmocka_unit_test(short_resources_are_named),
        cmocka_unit_test(keyed_hashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Signals, resource limits and child processes. */
#include "test.h"

#include "base/child.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/limits.h"
#include "base/mac.h"
#include "base/memory.h"
#include "base/file.h"
#include "base/temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void reset_signals(void)
{
    static const int numbers[] = {SIGUSR1, SIGUSR2, SIGTERM, SIGINT, SIGHUP};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        signal(numbers[i], SIG_DFL);
    ls_interrupt_set(0);
    ls_interrupt_at(INFINITY);
}

static void the_first_signal_is_noted(void **state)
{
    (void)state;
    reset_signals();
    ls_interrupt_watch();
    assert_true(ls_interrupt_age() == -INFINITY);
    assert_ok(ls_interrupt_poll(0));
    assert_int_equal(raise(SIGHUP), 0);
    assert_int_equal(ls_interrupt_signal(), SIGHUP);
    assert_string_equal(ls_interrupt_name(SIGHUP), "SIGHUP");
    assert_fails(ls_interrupt_poll(0), LS_INTERRUPTED, "stopped by SIGHUP");
    /* A closing terminal sends SIGHUP twice: the second counts as the same request. */
    assert_int_equal(raise(SIGHUP), 0);
    assert_int_equal(raise(SIGTERM), 0);
    assert_int_equal(ls_interrupt_signal(), SIGHUP);
    assert_ok(ls_interrupt_poll(1000));
    reset_signals();
}

static void an_ignored_signal_stays_ignored(void **state)
{
    (void)state;
    reset_signals();
    signal(SIGINT, SIG_IGN); /* as in a background command of a shell */
    signal(SIGHUP, SIG_IGN); /* as with nohup */
    ls_interrupt_watch();
    assert_int_equal(raise(SIGINT), 0);
    assert_int_equal(raise(SIGHUP), 0);
    assert_int_equal(ls_interrupt_signal(), 0);
    assert_int_equal(raise(SIGTERM), 0);
    assert_int_equal(ls_interrupt_signal(), SIGTERM);
    reset_signals();
}

/* Writes a name, as from a signal handler. */
static void say(const char *name)
{
    const ssize_t length = (ssize_t)strlen(name);
    if (write(STDOUT_FILENO, name, (size_t)length) != length)
        _exit(1);
}

static void make_file(const char *path)
{
    const int file = open(path, O_WRONLY | O_CREAT, 0666);
    assert_true(file >= 0);
    close(file);
}

static void a_signal_removes_temporary_files(void **state)
{
    (void)state;
    char name[LS_PATH_MAX], published[LS_PATH_MAX];
    int status, told;
    make_file("former");
    assert_ok(ls_temporary_name(published, "published"));
    make_file(published);
    assert_ok(ls_publish(published, "published"));
    make_file(published); /* the name is no longer noted */
    assert_ok(ls_temporary_name(name, "former"));
    make_file(name);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        told = open("told", O_WRONLY | O_CREAT, 0666);
        dup2(told, STDOUT_FILENO);
        ls_interrupt_drop(say);
        if (fork() == 0) { /* whose files they are not */
            raise(SIGTERM);
            _exit(0);
        }
        wait(&status);
        _exit(access(name, F_OK) != 0 || raise(SIGHUP) != 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGHUP);
    assert_true(access(name, F_OK) != 0 && access("former", F_OK) == 0);
    assert_true(access(published, F_OK) == 0);
    char *text = NULL;
    size_t length;
    assert_ok(ls_read_file("told", 64, LS_ERR_DATA, &text, &length));
    assert_string_equal(text, "SIGHUP");
    ls_free(text);
    ls_temporary_remove(name);
}

static void a_time_limit_interrupts(void **state)
{
    (void)state;
    reset_signals();
    ls_interrupt_at(ls_now() + 100);
    assert_true(ls_interrupt_age() < -99 && ls_interrupt_age() > -101);
    assert_ok(ls_interrupt_poll(0));
    ls_interrupt_at(ls_now() - 1);
    assert_fails(ls_interrupt_poll(0.5), LS_INTERRUPTED, "stopped by the time limit");
    reset_signals();
}

static void a_closed_pipe_gives_an_error(void **state)
{
    (void)state;
    int ends[2];
    ls_interrupt_spare_writers();
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    assert_int_equal(write(ends[1], "x", 1), -1);
    assert_int_equal(errno, EPIPE);
    close(ends[1]);
}

static void a_file_beyond_the_size_limit_gives_an_error(void **state)
{
    (void)state;
    struct rlimit before, small;
    ls_interrupt_spare_writers();
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

static ls_status child_abort(const void *arg)
{
    (void)arg;
    abort();
}

static ls_status child_kill_itself(const void *arg)
{
    (void)arg;
    raise(SIGKILL);
    return LS_OK;
}

static ls_status child_loop(const void *arg)
{
    for (volatile int64_t i = 0;; i++)
        if (i < 0)
            return arg == NULL;
}

static ls_status child_sleep(const void *arg)
{
    (void)arg;
    sleep(60);
    return LS_OK;
}

static ls_status child_fail(const void *arg)
{
    return ls_fail(LS_ERR_DATA, "%s: found", (const char *)arg);
}

static void the_end_of_a_child_is_reported(void **state)
{
    (void)state;
    reset_signals();
    assert_fails(ls_in_child(child_fail, "f", "f", 5), LS_ERR_DATA, "f: found");
    assert_fails(ls_in_child(child_abort, NULL, "f", 5), LS_ERR_DATA,
                 "f: damaged: the HDF5 library crashes on it");
    assert_fails(ls_in_child(child_loop, NULL, "f", 1), LS_ERR_DATA,
                 "reading exceeds its time limit");
    assert_fails(ls_in_child(child_kill_itself, NULL, "f", 5), LS_ERR_FAILURE,
                 "was killed by signal 9");
}

static void waiting_for_a_child_can_be_stopped(void **state)
{
    (void)state;
    reset_signals();
    const double begin = ls_now();
    ls_interrupt_at(begin + 0.2);
    assert_fails(ls_in_child(child_sleep, NULL, "f", 100), LS_INTERRUPTED, "the time limit");
    assert_true(ls_now() - begin < 20);
    reset_signals();
}

static void the_limit_of_open_files_is_raised(void **state)
{
    (void)state;
    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    small = before;
    small.rlim_cur = 20;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &small), 0);
    assert_ok(ls_limits_allow_files(64));
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &small), 0);
    assert_int_equal(small.rlim_cur, 64);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void exhausted_file_descriptors_are_reported(void **state)
{
    (void)state;
    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    small = before;
    small.rlim_cur = 64;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &small), 0);
    int file[64], opened = 0;
    while (opened < 64 && (file[opened] = open("/dev/null", O_RDONLY)) >= 0)
        opened++;
    assert_fails(ls_limits_try_shared_memory(), LS_ERR_FAILURE, "Too many open files");
    close(file[--opened]);
    close(file[--opened]);
    assert_fails(ls_limits_try_files(3), LS_ERR_FAILURE, "Too many open files: see ulimit -n");
    assert_ok(ls_limits_try_files(2)); /* leaves no file open */
    assert_ok(ls_limits_try_shared_memory());
    while (opened > 0)
        close(file[--opened]);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

/* Computed with Python's hmac module. */
static void keyed_hashes_equal_the_reference(void **state)
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
        cmocka_unit_test(the_first_signal_is_noted),
        cmocka_unit_test(an_ignored_signal_stays_ignored),
        cmocka_unit_test(a_signal_removes_temporary_files),
        cmocka_unit_test(a_time_limit_interrupts),
        cmocka_unit_test(a_closed_pipe_gives_an_error),
        cmocka_unit_test(a_file_beyond_the_size_limit_gives_an_error),
        cmocka_unit_test(the_end_of_a_child_is_reported),
        cmocka_unit_test(waiting_for_a_child_can_be_stopped),
        cmocka_unit_test(the_limit_of_open_files_is_raised),
        cmocka_unit_test(exhausted_file_descriptors_are_reported),
        cmocka_unit_test(keyed_hashes_equal_the_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "base/temporary.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { NOTES = 8 };

/* Written by any thread and read by signal handlers; lock-free. */
static struct {
    atomic_int state;
    char path[PATH_MAX];
} notes[NOTES];

enum { FREE, TAKEN /* its path is being written */, NOTED };

void ls_temporary_note(const char *temporary)
{
    for (int i = 0; i < NOTES; i++) {
        int expected = FREE;
        if (!atomic_compare_exchange_strong(&notes[i].state, &expected, TAKEN))
            continue;
        snprintf(notes[i].path, PATH_MAX, "%s", temporary);
        notes[i].state = NOTED;
        return;
    }
}

void ls_temporary_forget(const char *temporary)
{
    for (int i = 0; i < NOTES; i++)
        if (notes[i].state == NOTED && strcmp(notes[i].path, temporary) == 0)
            notes[i].state = FREE;
}

void ls_temporary_remove(const char *temporary)
{
    unlink(temporary);
    ls_temporary_forget(temporary);
}

void ls_temporary_remove_all(void)
{
    for (int i = 0; i < NOTES; i++)
        if (notes[i].state == NOTED)
            unlink(notes[i].path);
}

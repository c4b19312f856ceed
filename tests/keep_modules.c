/* In builds with sanitizers, linked into every program: modules that a library loads and closes
 * again, as Open MPI's, stay in memory, so that what they leak can be told by their names
 * (lsan.supp). */
int dlclose(void *handle);

int dlclose(void *handle)
{
    (void)handle;
    return 0;
}

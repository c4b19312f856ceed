/* Linked into every program of builds with sanitizers: modules that a library loads and closes,
 * such as Open MPI's, stay in memory, so that lsan.supp can identify their leaks by name. */
int dlclose(void *handle);

int dlclose(void *handle)
{
    (void)handle;
    return 0;
}

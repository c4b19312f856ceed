#include "train/copies.h"

#include "parallel/collectives.h"
#include "base/memory.h"
#include "data/magic.h"
#include "data/seal.h"

#include <lockstep/dataset.h>

#include <stdint.h>
#include <string.h>
#include <unistd.h>

/* A rank's file. */
typedef struct copy {
    ls_seal_mark mark;
    char digest[LS_DIGEST_TEXT]; /* of a file without a seal; "": not computed */
    char host[64];
} copy;

/* Appends the node's name to a failure, if there are several copies. Local. */
static ls_status add_host(ls_status status, const copy *mine, int64_t copies)
{
    return status == LS_OK || copies < 2
               ? status
               : ls_fail(status, "%s (on %s)", ls_error_text(), mine->host);
}

/* Chooses the ranks that verify: `first` is true on the lowest rank of a node that reads a file.
 * Collective on the node's ranks. */
static ls_status choose_verifier(ls_comm *node, const copy *mine, bool reads, bool *first)
{
    struct place {
        uint64_t device, inode;
        int64_t reads;
    } place = {mine->mark.device, mine->mark.inode, reads},
      *all = ls_alloc(ls_comm_size(node), sizeof *all);
    const ls_status status = ls_agree(node, all == NULL ? LS_ERR_FAILURE : LS_OK);
    *first = reads;
    if (status == LS_OK)
        ls_allgather_bytes(node, &place, (int)sizeof place, all);
    for (int r = 0; status == LS_OK && r < ls_comm_rank(node); r++)
        if (all[r].reads && all[r].device == place.device && all[r].inode == place.inode)
            *first = false;
    ls_free(all);
    return status;
}

/* Verifies a copy, and computes its digest to compare it if it has no seal. Local.
 * alone  there is only one copy */
static ls_status verify_copy(copy *mine, const char *path, const ls_dataset_options *options,
                             bool alone)
{
    const ls_status status = ls_dataset_check(path, options);
    return status != LS_OK || mine->mark.sealed || alone ? status
                                                         : ls_seal_digest(path, mine->digest);
}

/* Compares a copy with rank 0's. Local. */
static ls_status compare_copies(const copy *mine, const copy *first, const char *path)
{
    const ls_seal_mark *a = &mine->mark, *b = &first->mark;
    const char *how = "";
    if (a->bytes != b->bytes)
        how = "its size differs";
    else if (memcmp(a->block, b->block, sizeof a->block) != 0)
        how = a->sealed && b->sealed ? "its sealed digest differs" : "its beginning differs";
    else if (*mine->digest != '\0' && *first->digest != '\0' &&
             strcmp(mine->digest, first->digest) != 0)
        how = "its content differs";
    else
        return LS_OK;
    return ls_fail(LS_ERR_RANKS,
                   "%s on %s is not the file that rank 0 has on %s: %s; copy the right one to all "
                   "nodes",
                   path, mine->host, first->host, how);
}

ls_status ls_copies_check(ls_comm *comm, ls_comm *node, const char *path,
                          const ls_dataset_options *options, bool reads, bool verify)
{
    copy mine = {0}, first;
    bool chosen = false;
    gethostname(mine.host, sizeof mine.host - 1);
    ls_status status = reads ? ls_magic_refuse_folder(path) : LS_OK;
    if (status == LS_OK && reads)
        status = ls_seal_look(path, &mine.mark);
    status = ls_agree_among(comm, reads, status);
    if (status == LS_OK)
        status = ls_agree(comm, choose_verifier(node, &mine, reads, &chosen));
    if (status != LS_OK)
        return status;
    int64_t copies = chosen;
    ls_allreduce_integers(comm, &copies, 1);
    if (verify && chosen)
        status = add_host(verify_copy(&mine, path, options, copies == 1), &mine, copies);
    status = ls_agree_among(comm, chosen, status);
    if (status != LS_OK)
        return status;
    first = mine;
    ls_broadcast(comm, &first, sizeof first);
    return ls_agree(comm, reads ? compare_copies(&mine, &first, path) : LS_OK);
}

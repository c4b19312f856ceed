#include "parallel/beacon.h"

#include "base/memory.h"
#include "parallel/comm_mpi.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ADDRESSES = 16 };

/* What travels; all ranks run the same program on the same kind of machine. */
typedef struct datagram {
    uint64_t token; /* of this job: others' datagrams are no matter of ours */
    int64_t rank;
    ls_beacon_place place;
} datagram;

/* How rank 0 can be reached: a socket's port on each of its host's addresses. */
typedef struct root {
    uint64_t token;
    int32_t port; /* 0: not at all */
    int32_t addresses;
    struct in_addr address[ADDRESSES];
} root;

struct ls_beacon {
    int rank, size;
    int socket; /* -1: none */
    root root;
    struct sockaddr_in from; /* where rank 0 has answered from; family 0: nowhere yet */
    ls_beacon_rank *known;   /* [size] on rank 0, [1] elsewhere */
};

/* The addresses of this host, that of the loopback for ranks beside this one. */
static void list_addresses(root *r)
{
    struct ifaddrs *all = NULL;
    r->address[r->addresses++].s_addr = htonl(INADDR_LOOPBACK);
    if (getifaddrs(&all) != 0)
        return;
    for (const struct ifaddrs *i = all; i != NULL && r->addresses < ADDRESSES; i = i->ifa_next)
        if (i->ifa_addr != NULL && i->ifa_addr->sa_family == AF_INET &&
            (i->ifa_flags & IFF_UP) != 0 && (i->ifa_flags & IFF_LOOPBACK) == 0)
            r->address[r->addresses++] =
                ((const struct sockaddr_in *)(const void *)i->ifa_addr)->sin_addr;
    freeifaddrs(all);
}

/* Opens this rank's socket; rank 0's has a port that the others get to know. */
static void open_socket(ls_beacon *b)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_ANY)}};
    socklen_t length = sizeof any;
    b->socket = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (b->socket < 0 || b->rank != 0)
        return;
    if (getrandom(&b->root.token, sizeof b->root.token, GRND_NONBLOCK) !=
        (ssize_t)sizeof b->root.token)
        b->root.token = (uint64_t)time(NULL) ^ (uint64_t)getpid() << 32;
    if (bind(b->socket, (struct sockaddr *)&any, sizeof any) == 0 &&
        getsockname(b->socket, (struct sockaddr *)&any, &length) == 0) {
        b->root.port = any.sin_port;
        list_addresses(&b->root);
    }
}

ls_status ls_beacon_open(ls_beacon **out, ls_comm *comm)
{
    char host[LS_BEACON_HOST] = "", hosts_of_root[LS_BEACON_HOST];
    const int64_t known = comm->rank == 0 ? comm->size : 1;
    ls_beacon *b = ls_alloc(1, sizeof *b);
    char *hosts = b != NULL ? ls_alloc(known, LS_BEACON_HOST) : NULL;
    if (hosts != NULL)
        b->known = ls_alloc(known, sizeof *b->known);
    ls_status status = ls_agree(comm, hosts == NULL || b->known == NULL ? LS_ERR_FAILURE : LS_OK);
    if (status != LS_OK) {
        if (b != NULL)
            ls_free(b->known);
        ls_free(b);
        ls_free(hosts);
        return status;
    }
    b->rank = comm->rank;
    b->size = comm->size;
    open_socket(b);
    ls_broadcast(comm, &b->root, sizeof b->root);
    gethostname(host, sizeof host - 1);
    ls_gather_bytes(comm, host, sizeof host, hosts);
    memcpy(hosts_of_root, host, sizeof host);
    ls_broadcast(comm, hosts_of_root, sizeof hosts_of_root);
    for (int64_t r = 0; r < known; r++)
        memcpy(b->known[r].host, comm->rank == 0 ? hosts + r * LS_BEACON_HOST : hosts_of_root,
               LS_BEACON_HOST);
    /* The loopback leads to rank 0 from its own host only. */
    if (comm->rank != 0 && strcmp(host, hosts_of_root) != 0)
        b->root.address[0] = b->root.address[b->root.addresses > 1 ? 1 : 0];
    ls_free(hosts);
    *out = b;
    return LS_OK;
}

void ls_beacon_close(ls_beacon **beacon)
{
    if (beacon == NULL || *beacon == NULL)
        return;
    if ((*beacon)->socket >= 0)
        close((*beacon)->socket);
    ls_free((*beacon)->known);
    ls_free(*beacon);
    *beacon = NULL;
}

static void send_to(const ls_beacon *b, const datagram *mine, const struct sockaddr_in *to)
{
    /* What can't be sent now may be sent next time. */
    (void)!sendto(b->socket, mine, sizeof *mine, MSG_DONTWAIT | MSG_NOSIGNAL,
                  (const struct sockaddr *)to, sizeof *to);
}

/* To the address that rank 0 has answered from, or to all that it may have. */
static void send_to_root(const ls_beacon *b, const datagram *mine)
{
    if (b->from.sin_family == AF_INET) {
        send_to(b, mine, &b->from);
        return;
    }
    for (int i = 0; b->root.port != 0 && i < b->root.addresses; i++) {
        const struct sockaddr_in to = {.sin_family = AF_INET,
                                       .sin_port = (in_port_t)b->root.port,
                                       .sin_addr = b->root.address[i]};
        send_to(b, mine, &to);
    }
}

void ls_beacon_exchange(ls_beacon *b, const ls_beacon_place *mine, double now)
{
    const datagram own = {.token = b->root.token, .rank = b->rank, .place = *mine};
    datagram theirs;
    struct sockaddr_in from;
    if (b->socket < 0)
        return;
    if (b->rank != 0)
        send_to_root(b, &own);
    for (;;) {
        socklen_t length = sizeof from;
        const ssize_t got = recvfrom(b->socket, &theirs, sizeof theirs, MSG_DONTWAIT,
                                     (struct sockaddr *)&from, &length);
        if (got < 0)
            break;
        if (got != (ssize_t)sizeof theirs || theirs.token != b->root.token || theirs.rank < 0 ||
            theirs.rank >= (b->rank == 0 ? b->size : 1))
            continue;
        ls_beacon_rank *known = &b->known[theirs.rank];
        known->heard = true;
        known->when = now;
        known->place = theirs.place;
        if (b->rank == 0)
            send_to(b, &own, &from);
        else
            b->from = from;
    }
}

const ls_beacon_rank *ls_beacon_look(const ls_beacon *b, int rank)
{
    return &b->known[rank];
}

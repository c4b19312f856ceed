/* Anyone on a rank's host or networks can send datagrams to its port. Protection:
 *  - A beacon begins with a secret word. A kernel filter drops other datagrams before they fill the
 *    socket's queue.
 *  - A beacon has a keyed hash (MAC) and a counter, so that it can be neither forged nor replayed.
 *    Key and word are distributed over MPI.
 *  - Rank 0 listens only on the loopback address, if other ranks run on its host, and on networks
 *    that it shares with other hosts of the job. Other ranks accept only datagrams from the address
 *    of rank 0's first reply. */
#include "parallel/beacon.h"

#include "parallel/collectives.h"
#include "base/mac.h"
#include "base/memory.h"
#include "parallel/comm_mpi.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/filter.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ADDRESSES = 16 };

/* Shared secret of the job's ranks. */
typedef struct secret {
    uint8_t key[LS_MAC_KEY];
    uint8_t word[8];
} secret;

/* Wire format; the same on all ranks, which run the same program on the same kind of machine. */
typedef struct datagram {
    uint8_t word[8];
    int64_t rank;
    int64_t count; /* the sender's datagram counter, from 1 */
    ls_beacon_place place;
    uint8_t mac[LS_MAC_BYTES]; /* of all members above */
} datagram;

/* A host and its IPv4 addresses without the loopback address; unused entries are zero. */
typedef struct host {
    char name[LS_BEACON_HOST];
    struct {
        struct in_addr address, mask;
    } net[ADDRESSES - 1];
} host;

/* Contact data of rank 0. */
typedef struct root {
    secret secret;
    host host;
    int32_t sockets; /* 0: unreachable */
    struct sockaddr_in socket[ADDRESSES];
} root;

struct ls_beacon {
    int rank, size;
    int socket[ADDRESSES]; /* [sockets] */
    int sockets;
    int error; /* errno of the last failed attempt to open a socket; 0: none failed */
    root root;
    bool connected; /* true after rank 0's first reply: socket[0] is connected to its address */
    int64_t count;  /* number of datagrams sent */
    ls_beacon_rank *known; /* [size] on rank 0, [1] elsewhere */
    int64_t *last_count;   /* [as known] counter of each rank's latest beacon */
};

/* Fills in this host's name and the addresses of its active interfaces. */
static void find_addresses(host *h)
{
    struct ifaddrs *all = NULL;
    int at = 0;
    memset(h, 0, sizeof *h);
    gethostname(h->name, sizeof h->name - 1);
    if (getifaddrs(&all) != 0)
        return;
    for (const struct ifaddrs *i = all; i != NULL && at < ADDRESSES - 1; i = i->ifa_next)
        if (i->ifa_addr != NULL && i->ifa_netmask != NULL && i->ifa_addr->sa_family == AF_INET &&
            (i->ifa_flags & IFF_UP) != 0 && (i->ifa_flags & IFF_LOOPBACK) == 0) {
            h->net[at].address = ((const struct sockaddr_in *)(const void *)i->ifa_addr)->sin_addr;
            h->net[at++].mask =
                ((const struct sockaddr_in *)(const void *)i->ifa_netmask)->sin_addr;
        }
    freeifaddrs(all);
}

static bool same_host(const host *a, const host *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* Returns true if another host has an address in the network of rank 0's address `at`; with `any`,
 * if there is another host at all. hosts: [size] */
static bool has_host_in_network(const host *hosts, int size, int at, bool any)
{
    for (int r = 1; r < size; r++) {
        if (same_host(&hosts[r], &hosts[0]))
            continue;
        for (int i = 0; !any && i < ADDRESSES - 1; i++)
            if (hosts[r].net[i].address.s_addr != 0 &&
                ((hosts[r].net[i].address.s_addr ^ hosts[0].net[at].address.s_addr) &
                 hosts[0].net[at].mask.s_addr) == 0)
                return true;
        if (any)
            return true;
    }
    return false;
}

/* Attaches a kernel filter that drops datagrams without the secret word. Failure is ignored:
 * accepts() checks again. */
static void attach_filter(int file, const uint8_t word[8])
{
    enum { PAYLOAD = 8 /* offset behind the UDP header */, WHOLE = 0xffff };
    uint32_t half[2];
    memcpy(half, word, sizeof half);
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, PAYLOAD),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ntohl(half[0]), 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, PAYLOAD + sizeof half[0]),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ntohl(half[1]), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, WHOLE),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    const struct sock_fprog program = {sizeof code / sizeof *code, code};
    (void)setsockopt(file, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

/* Opens a socket at an address of this host, on a port that the kernel chooses. */
static void open_socket(ls_beacon *b, in_addr_t address)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
    socklen_t length = sizeof at;
    const int file = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (file < 0 || bind(file, (struct sockaddr *)&at, sizeof at) != 0 ||
        getsockname(file, (struct sockaddr *)&at, &length) != 0) {
        b->error = errno;
        if (file >= 0)
            close(file);
        return;
    }
    attach_filter(file, b->root.secret.word);
    if (b->rank == 0)
        b->root.socket[b->root.sockets++] = at;
    b->socket[b->sockets++] = file;
}

/* Opens rank 0's sockets; sets b->error if there are none. hosts: [size] */
static void open_root(ls_beacon *b, const host *hosts)
{
    bool local_ranks = false, reachable = false;
    for (int r = 1; r < b->size; r++)
        local_ranks = local_ranks || same_host(&hosts[r], &hosts[0]);
    if (local_ranks)
        open_socket(b, INADDR_LOOPBACK);
    for (int i = 0; i < ADDRESSES - 1; i++)
        reachable = reachable || has_host_in_network(hosts, b->size, i, false);
    /* If no other host shares a network with rank 0, the route is unknown: use all addresses. */
    for (int i = 0; i < ADDRESSES - 1; i++)
        if (hosts[0].net[i].address.s_addr != 0 &&
            has_host_in_network(hosts, b->size, i, !reachable))
            open_socket(b, ntohl(hosts[0].net[i].address.s_addr));
    if (b->size > 1 && b->sockets == 0 && b->error == 0)
        b->error = EADDRNOTAVAIL; /* no IPv4 address for the other hosts */
}

/* Makes a random key and word. */
static void make_secret(secret *s)
{
    if (getrandom(s, sizeof *s, GRND_NONBLOCK) == (ssize_t)sizeof *s)
        return;
    /* No entropy yet, just after boot: the word is not secret, but differs between jobs. */
    const uint64_t word = (uint64_t)time(NULL) ^ (uint64_t)getpid() << 32;
    memcpy(s->word, &word, sizeof s->word);
}

/* Opens sockets and exchanges addresses and the secret. Collective. hosts: [size] on rank 0 */
static void open_channel(ls_beacon *b, ls_comm *comm, host *hosts)
{
    host mine;
    find_addresses(&mine);
    ls_gather_bytes(comm, &mine, sizeof mine, hosts);
    if (comm->rank == 0) {
        make_secret(&b->root.secret);
        b->root.host = mine;
        open_root(b, hosts);
    }
    ls_broadcast(comm, &b->root, sizeof b->root);
    if (comm->rank != 0)
        open_socket(b, same_host(&mine, &b->root.host) ? INADDR_LOOPBACK : INADDR_ANY);
    for (int r = 0; r < (comm->rank == 0 ? comm->size : 1); r++)
        memcpy(b->known[r].host, comm->rank == 0 ? hosts[r].name : b->root.host.name,
               LS_BEACON_HOST);
}

ls_status ls_beacon_open(ls_beacon **out, ls_comm *comm)
{
    const int64_t known = comm->rank == 0 ? comm->size : 1;
    ls_beacon *b = ls_alloc(1, sizeof *b);
    host *hosts = ls_alloc(known, sizeof *hosts);
    ls_status status = b == NULL || hosts == NULL ? LS_ERR_FAILURE : LS_OK;
    if (status == LS_OK) {
        b->known = ls_alloc(known, sizeof *b->known);
        b->last_count = ls_alloc(known, sizeof *b->last_count);
        status = b->known == NULL || b->last_count == NULL ? LS_ERR_FAILURE : LS_OK;
    }
    status = ls_agree(comm, status);
    if (status == LS_OK) {
        b->rank = comm->rank;
        b->size = comm->size;
        open_channel(b, comm, hosts);
    }
    ls_free(hosts);
    if (status != LS_OK)
        ls_beacon_close(&b);
    else
        *out = b;
    return status;
}

void ls_beacon_close(ls_beacon **beacon)
{
    if (beacon == NULL || *beacon == NULL)
        return;
    for (int i = 0; i < (*beacon)->sockets; i++)
        close((*beacon)->socket[i]);
    ls_free((*beacon)->known);
    ls_free((*beacon)->last_count);
    ls_free(*beacon);
    *beacon = NULL;
}

int ls_beacon_error(const ls_beacon *b)
{
    return b->sockets == 0 ? b->error : 0;
}

/* Sends a beacon with this rank's position. to: NULL if the socket is connected */
static void send_beacon(ls_beacon *b, const ls_beacon_place *mine, int file,
                        const struct sockaddr_in *to)
{
    datagram d = {.rank = b->rank, .count = ++b->count, .place = *mine};
    memcpy(d.word, b->root.secret.word, sizeof d.word);
    ls_mac(b->root.secret.key, &d, offsetof(datagram, mac), d.mac);
    /* Errors are ignored: the next beacon may succeed. */
    (void)!sendto(file, &d, sizeof d, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)to,
                  to != NULL ? sizeof *to : 0);
}

/* Sends a beacon to the address of rank 0's reply or, before a reply, to all its addresses. */
static void send_to_root(ls_beacon *b, const ls_beacon_place *mine)
{
    if (b->sockets == 0)
        return;
    if (b->connected) {
        send_beacon(b, mine, b->socket[0], NULL);
        return;
    }
    for (int i = 0; i < b->root.sockets; i++)
        send_beacon(b, mine, b->socket[0], &b->root.socket[i]);
}

/* Returns true if a datagram is authentic, from a rank that this rank listens to, and newer than
 * that rank's latest beacon. */
static bool accepts(const ls_beacon *b, const datagram *d)
{
    uint8_t mac[LS_MAC_BYTES];
    if (memcmp(d->word, b->root.secret.word, sizeof d->word) != 0 || d->rank < 0 ||
        d->rank >= (b->rank == 0 ? b->size : 1) || d->count <= b->last_count[d->rank])
        return false;
    ls_mac(b->root.secret.key, d, offsetof(datagram, mac), mac);
    return memcmp(mac, d->mac, sizeof mac) == 0;
}

/* Records a beacon. */
static void record_beacon(ls_beacon *b, const datagram *d, double now)
{
    ls_beacon_rank *known = &b->known[d->rank];
    b->last_count[d->rank] = d->count;
    known->heard = true;
    known->when = now;
    known->place = d->place;
}

/* Receives the beacons that have arrived at a socket; rank 0 replies to each. */
static void receive_beacons(ls_beacon *b, const ls_beacon_place *mine, int file, double now)
{
    /* At most several periods' beacons of all ranks, so that a flood of datagrams can't keep the
     * watchdog busy here. */
    const int most = 64 + 4 * b->size;
    datagram d;
    struct sockaddr_in from;
    for (int i = 0; i < most; i++) {
        socklen_t length = sizeof from;
        const ssize_t got = recvfrom(file, &d, sizeof d, MSG_DONTWAIT | MSG_TRUNC,
                                     (struct sockaddr *)&from, &length);
        if (got < 0 && errno == EAGAIN)
            break;
        if (got != (ssize_t)sizeof d || !accepts(b, &d))
            continue;
        record_beacon(b, &d, now);
        if (b->rank == 0)
            send_beacon(b, mine, file, &from);
        else if (!b->connected)
            b->connected = connect(file, (struct sockaddr *)&from, sizeof from) == 0;
    }
}

void ls_beacon_exchange(ls_beacon *b, const ls_beacon_place *mine, double now)
{
    if (b->rank != 0)
        send_to_root(b, mine);
    for (int i = 0; i < b->sockets; i++)
        receive_beacons(b, mine, b->socket[i], now);
}

const ls_beacon_rank *ls_beacon_look(const ls_beacon *b, int rank)
{
    return &b->known[rank];
}

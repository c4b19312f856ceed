/* Anybody on a rank's host, and on its networks, can send datagrams to its port. So that this does
 * no harm: a beacon begins with a secret word that the kernel looks for, which drops all others
 * before they take room in the socket's queue; it carries a keyed hash and a count, so that it can
 * be neither made up nor sent twice; the key and the word travel over MPI. Rank 0 listens only on
 * the loopback, if there are other ranks beside it, and on the networks that other hosts of the job
 * are on; the other ranks hear nobody but rank 0 once that has answered. */
#include "parallel/beacon.h"

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

/* What only the job's ranks know. */
typedef struct secret {
    uint8_t key[LS_MAC_KEY];
    uint8_t word[8];
} secret;

/* What travels; all ranks run the same program on the same kind of machine. */
typedef struct datagram {
    uint8_t word[8];
    int64_t rank;
    int64_t count; /* of the datagrams of this sender, from 1 */
    ls_beacon_place place;
    uint8_t mac[LS_MAC_BYTES]; /* of what comes before it */
} datagram;

/* A host and its addresses but that of the loopback; unused ones are zero. */
typedef struct host {
    char name[LS_BEACON_HOST];
    struct {
        struct in_addr address, mask;
    } net[ADDRESSES - 1];
} host;

/* How rank 0 can be reached: its sockets. */
typedef struct root {
    secret secret;
    host host;
    int32_t sockets; /* 0: not at all */
    struct sockaddr_in socket[ADDRESSES];
} root;

struct ls_beacon {
    int rank, size;
    int socket[ADDRESSES]; /* [sockets] */
    int sockets;
    int error; /* why there are none; 0: there are, or nobody to talk to */
    root root;
    bool connected;        /* to where rank 0 has answered from */
    int64_t count;         /* of the datagrams sent */
    ls_beacon_rank *known; /* [size] on rank 0, [1] elsewhere */
    int64_t *counted;      /* the same: the count of each one's latest */
};

static void describe_host(host *h)
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

static bool is_same(const host *a, const host *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* Whether some other host has an address in the network of address `at` of rank 0's; `any`: whether
 * there is another host at all. */
static bool is_shared(const host *hosts, int size, int at, bool any)
{
    for (int r = 1; r < size; r++) {
        if (is_same(&hosts[r], &hosts[0]))
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

/* Lets the kernel drop what does not begin with the secret word. A socket without a filter works,
 * too. */
static void attach_filter(int file, const uint8_t word[8])
{
    enum { PAYLOAD = 8 /* behind the header of UDP */, WHOLE = 0xffff };
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

/* Opens a socket at an address of this host, the port its own choice. */
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

/* Rank 0's sockets. hosts: [size]; error: why there are none */
static void open_root(ls_beacon *b, const host *hosts)
{
    bool beside = false, shared = false;
    for (int r = 1; r < b->size; r++)
        beside = beside || is_same(&hosts[r], &hosts[0]);
    if (beside)
        open_socket(b, INADDR_LOOPBACK);
    for (int i = 0; i < ADDRESSES - 1; i++)
        shared = shared || is_shared(hosts, b->size, i, false);
    /* Where the other hosts are on other networks, it is not known which way leads to them. */
    for (int i = 0; i < ADDRESSES - 1; i++)
        if (hosts[0].net[i].address.s_addr != 0 && is_shared(hosts, b->size, i, !shared))
            open_socket(b, ntohl(hosts[0].net[i].address.s_addr));
    if (b->size > 1 && b->sockets == 0 && b->error == 0)
        b->error = EADDRNOTAVAIL; /* no address of IPv4 that the other hosts could reach */
}

static void make_secret(secret *s)
{
    if (getrandom(s, sizeof *s, GRND_NONBLOCK) == (ssize_t)sizeof *s)
        return;
    /* A system that has only just started: no secret, but a word of this job's own. */
    const uint64_t word = (uint64_t)time(NULL) ^ (uint64_t)getpid() << 32;
    memcpy(s->word, &word, sizeof s->word);
}

/* Exchanges addresses and the secret. Collective. hosts: [size] on rank 0 */
static void open_channel(ls_beacon *b, ls_comm *comm, host *hosts)
{
    host mine;
    describe_host(&mine);
    ls_gather_bytes(comm, &mine, sizeof mine, hosts);
    if (comm->rank == 0) {
        make_secret(&b->root.secret);
        b->root.host = mine;
        open_root(b, hosts);
    }
    ls_broadcast(comm, &b->root, sizeof b->root);
    if (comm->rank != 0)
        open_socket(b, is_same(&mine, &b->root.host) ? INADDR_LOOPBACK : INADDR_ANY);
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
        b->counted = ls_alloc(known, sizeof *b->counted);
        status = b->known == NULL || b->counted == NULL ? LS_ERR_FAILURE : LS_OK;
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
    ls_free((*beacon)->counted);
    ls_free(*beacon);
    *beacon = NULL;
}

int ls_beacon_error(const ls_beacon *b)
{
    return b->sockets == 0 ? b->error : 0;
}

/* Sends where this rank is. to: NULL where the socket is connected */
static void send_place(ls_beacon *b, const ls_beacon_place *mine, int file,
                       const struct sockaddr_in *to)
{
    datagram d = {.rank = b->rank, .count = ++b->count, .place = *mine};
    memcpy(d.word, b->root.secret.word, sizeof d.word);
    ls_mac(b->root.secret.key, &d, offsetof(datagram, mac), d.mac);
    /* What can't be sent now may be sent next time. */
    (void)!sendto(file, &d, sizeof d, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)to,
                  to != NULL ? sizeof *to : 0);
}

/* To the address that rank 0 has answered from, or to all that it may have. */
static void send_to_root(ls_beacon *b, const ls_beacon_place *mine)
{
    if (b->sockets == 0)
        return;
    if (b->connected) {
        send_place(b, mine, b->socket[0], NULL);
        return;
    }
    for (int i = 0; i < b->root.sockets; i++)
        send_place(b, mine, b->socket[0], &b->root.socket[i]);
}

/* Whether it is from a rank that this one listens to, and newer than that one's last. */
static bool is_news(const ls_beacon *b, const datagram *d)
{
    uint8_t mac[LS_MAC_BYTES];
    if (memcmp(d->word, b->root.secret.word, sizeof d->word) != 0 || d->rank < 0 ||
        d->rank >= (b->rank == 0 ? b->size : 1) || d->count <= b->counted[d->rank])
        return false;
    ls_mac(b->root.secret.key, d, offsetof(datagram, mac), mac);
    return memcmp(mac, d->mac, sizeof mac) == 0;
}

static void take(ls_beacon *b, const datagram *d, double now)
{
    ls_beacon_rank *known = &b->known[d->rank];
    b->counted[d->rank] = d->count;
    known->heard = true;
    known->when = now;
    known->place = d->place;
}

/* Takes what has arrived at a socket, and answers on rank 0. */
static void receive(ls_beacon *b, const ls_beacon_place *mine, int file, double now)
{
    /* No more than many periods' beacons of all ranks: whoever sends more must not keep this rank
     * from looking around. */
    const int most = 64 + 4 * b->size;
    datagram d;
    struct sockaddr_in from;
    for (int i = 0; i < most; i++) {
        socklen_t length = sizeof from;
        const ssize_t got = recvfrom(file, &d, sizeof d, MSG_DONTWAIT | MSG_TRUNC,
                                     (struct sockaddr *)&from, &length);
        if (got < 0 && errno == EAGAIN)
            break;
        if (got != (ssize_t)sizeof d || !is_news(b, &d))
            continue;
        take(b, &d, now);
        if (b->rank == 0)
            send_place(b, mine, file, &from);
        else if (!b->connected)
            b->connected = connect(file, (struct sockaddr *)&from, sizeof from) == 0;
    }
}

void ls_beacon_exchange(ls_beacon *b, const ls_beacon_place *mine, double now)
{
    if (b->rank != 0)
        send_to_root(b, mine);
    for (int i = 0; i < b->sockets; i++)
        receive(b, mine, b->socket[i], now);
}

const ls_beacon_rank *ls_beacon_look(const ls_beacon *b, int rank)
{
    return &b->known[rank];
}

/* Sends datagrams of a beacon's size and of other sizes to ports of the loopback interface, as an
 * attacker on this host might.
 *     flood SECONDS PORT ... */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

int main(int argc, char **argv)
{
    static const size_t sizes[] = {64, 8, 0, 1400};
    static char junk[1400];
    const int file = socket(AF_INET, SOCK_DGRAM, 0);
    const time_t end = time(NULL) + (argc > 2 ? atoi(argv[1]) : 0);
    long sent = 0;
    memset(junk, 'x', sizeof junk);
    while (file >= 0 && time(NULL) < end)
        for (int i = 0; i < 1000; i++) {
            const struct sockaddr_in to = {.sin_family = AF_INET,
                                           .sin_port =
                                               htons((in_port_t)atoi(argv[2 + i % (argc - 2)])),
                                           .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
            sent += sendto(file, junk, sizes[i / (argc - 2) % 4], 0, (const struct sockaddr *)&to,
                           sizeof to) >= 0;
        }
    printf("%ld\n", sent);
    return sent > 0 ? 0 : 1;
}

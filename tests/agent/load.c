/* load: UDP datagrams of many flows at a steady rate: load ADDRESS PACKETS_PER_SECOND SECONDS FLOWS
 * SIZE. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define BATCH 32

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	static char payload[1400];
	struct sockaddr_in to[BATCH] = {{0}};
	struct mmsghdr m[BATCH];
	struct iovec v = {payload, 0};
	int fd = socket(AF_INET, SOCK_DGRAM, 0), i, n, flows;
	double rate, seconds, begin;
	unsigned long sent = 0;

	if (argc != 6 || fd < 0)
		return 2;
	memset(m, 0, sizeof(m));
	rate = atof(argv[2]);
	seconds = atof(argv[3]);
	flows = atoi(argv[4]);
	v.iov_len = (size_t)atoi(argv[5]) % sizeof(payload);
	for (i = 0; i < BATCH; i++) {
		to[i].sin_family = AF_INET;
		inet_pton(AF_INET, argv[1], &to[i].sin_addr);
		m[i].msg_hdr = (struct msghdr){.msg_name = &to[i],
			.msg_namelen = sizeof(to[i]),
			.msg_iov = &v,
			.msg_iovlen = 1};
	}
	for (begin = now(); now() - begin < seconds;) {
		if ((double)sent > (now() - begin) * rate) {
			nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
			continue;
		}
		for (i = 0; i < BATCH; i++)
			to[i].sin_port =
				htons((unsigned short)(10000 + (sent + (unsigned long)i) %
								       (unsigned long)flows));
		n = sendmmsg(fd, m, BATCH, 0);
		if (n > 0)
			sent += (unsigned long)n;
	}
	printf("%lu\n", sent);
	return 0;
}

/*
 * generate: a pair of captures of the same TCP traffic, taken at the client and at the server, and
 * the truth about it (JSON on standard output): what the network lost.
 */
#include <argp.h>
#include <err.h>
#include <stdlib.h>

#include "frames.h"
#include "traffic.h"

struct options {
	struct traffic_parameters traffic;
	uint32_t snaplen;
	bool nanoseconds;
	const char *path[2];
};

static const struct argp_option option_table[] = {
	{"packets", 'p', "N", 0, "Packets in each capture (5570000)", 0},
	{"connections", 'c', "N", 0, "TCP connections (38000)", 0},
	{"concurrent", 'j', "N", 0, "Of them at a time (256)", 0},
	{"loss", 'l', "RATE", 0, "Probability that a packet is lost (0.01)", 0},
	{"snaplen", 's', "BYTES", 0, "Bytes kept of a packet (96)", 0},
	{"nanoseconds", 'n', NULL, 0, "Nanoseconds in the files, not microseconds", 0},
	{"offset", 'o', "SECONDS", 0, "Of the server's clock (37.25)", 0},
	{"drift", 'd', "PPM", 0, "Of the server's clock (12)", 0},
	{"seed", 'r', "N", 0, "Of the random numbers (1)", 0},
	{0},
};

static double number(struct argp_state *state, const char *text, double low, double high)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text || *end || !(v >= low && v <= high))
		argp_error(state, "'%s' is not a number from %g to %g", text, low, high);
	return v;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'p':
		o->traffic.packets = (uint64_t)number(state, arg, 1, 1e9);
		return 0;
	case 'c':
		o->traffic.connections = (uint32_t)number(state, arg, 1, 1e8);
		return 0;
	case 'j':
		o->traffic.concurrent = (uint32_t)number(state, arg, 1, 65536);
		return 0;
	case 'l':
		o->traffic.loss = number(state, arg, 0, 0.5);
		return 0;
	case 's':
		o->snaplen = (uint32_t)number(state, arg, 68, 262144);
		return 0;
	case 'n':
		o->nanoseconds = true;
		return 0;
	case 'o':
		o->traffic.offset_ns = (int64_t)(number(state, arg, -1e9, 1e9) * 1e9);
		return 0;
	case 'd':
		o->traffic.drift_ppm = number(state, arg, -500, 500);
		return 0;
	case 'r':
		o->traffic.seed = (uint64_t)number(state, arg, 1, 1e15);
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num > 1)
			argp_usage(state);
		o->path[state->arg_num] = arg;
		return 0;
	case ARGP_KEY_END:
		if (state->arg_num != 2)
			argp_usage(state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {option_table, parse, "CLIENT.pcap SERVER.pcap",
	"Writes what two hosts captured of the same TCP traffic.", NULL, NULL, NULL};

static void print_direction(const char *name, const struct traffic_truth *t, int to)
{
	printf("  \"%s\": {\"sent\": %lu, \"sent_bytes\": %lu, \"lost\": %lu, \"lost_bytes\": "
	       "%lu,\n"
	       "    \"lost_syn\": %lu, \"lost_data\": %lu, \"lost_ack\": %lu, \"lost_fin\": %lu,\n"
	       "    \"retransmitted\": %lu}",
		name, t->sent[to], t->sent_bytes[to], t->lost[to], t->lost_bytes[to],
		t->lost_syn[to], t->lost_data[to], t->lost_ack[to], t->lost_fin[to],
		t->retransmitted[to]);
}

int main(int argc, char **argv)
{
	struct options o = {.snaplen = 96,
		.traffic = {.packets = 5570000,
			.connections = 38000,
			.concurrent = 256,
			.loss = 0.01,
			.delay_ns = {10100000, 9700000},
			.start_ns = INT64_C(1790000000) * 1000000000,
			.offset_ns = INT64_C(37250000000),
			.drift_ppm = 12,
			.seed = 1}};
	struct traffic_truth truth;
	struct capture *client, *server;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	frames_init();
	client = capture_new(o.path[0], o.snaplen, o.nanoseconds);
	server = capture_new(o.path[1], o.snaplen, o.nanoseconds);
	traffic_run(&o.traffic, client, server, &truth);
	printf("{\n  \"frames\": [%lu, %lu], \"bytes\": [%lu, %lu],\n"
	       "  \"connections\": %lu, \"seconds\": %.3f,\n",
		capture_frames(client), capture_frames(server), capture_bytes(client),
		capture_bytes(server), truth.connections, (double)truth.duration_ns / 1e9);
	print_direction("to_server", &truth, 1);
	printf(",\n");
	print_direction("to_client", &truth, 0);
	printf("\n}\n");
	capture_close(client);
	capture_close(server);
	return 0;
}

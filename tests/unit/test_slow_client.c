/* slow_client: who is cut off and who is not, by a clock that the test sets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "serve/slow_client.h"

#define IDLE_S 10

/* In place of the C library's: the real clock, and the seconds that the test lets pass. */
static atomic_long passed_s;

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	int r = (int)syscall(SYS_clock_gettime, clock, ret);

	ret->tv_sec += atomic_load(&passed_s);
	return r;
}

/* The watch sleeps by the kernel's clock: with it, a test begins where that is. */
static int reset_clock(void **state)
{
	(void)state;
	atomic_store(&passed_s, 0);
	return 0;
}

static void pass(long seconds)
{
	atomic_fetch_add(&passed_s, seconds);
}

/* --- the rate of a body; seconds are whole, so the real clock may add one --- */

static void test_rate(void **state)
{
	struct slow_client_rate rate = {0};

	(void)state;
	assert_false(slow_client_below_rate(&rate, 1, IDLE_S)); /* its window begins */
	pass(IDLE_S - 1);
	assert_false(slow_client_below_rate(&rate, 0, IDLE_S)); /* and is not over */
	pass(2);
	assert_true(slow_client_below_rate(&rate, 1, IDLE_S));
}

static void test_rate_boundary(void **state)
{
	const size_t enough = IDLE_S * SLOW_CLIENT_RATE;
	struct slow_client_rate rate = {0};

	(void)state;
	assert_false(slow_client_below_rate(&rate, enough - 1, IDLE_S));
	pass(IDLE_S + 1);
	assert_false(slow_client_below_rate(&rate, 1, IDLE_S));
	assert_false(slow_client_below_rate(&rate, enough - 1, IDLE_S));
	pass(IDLE_S + 1);
	assert_true(slow_client_below_rate(&rate, 0, IDLE_S));
}

/* A fast beginning does not pay for a trickle after it. */
static void test_rate_by_window(void **state)
{
	struct slow_client_rate rate = {0};

	(void)state;
	assert_false(slow_client_below_rate(&rate, 1 << 30, IDLE_S));
	pass(IDLE_S + 1);
	assert_false(slow_client_below_rate(&rate, 1, IDLE_S));
	pass(IDLE_S + 1);
	assert_true(slow_client_below_rate(&rate, 1, IDLE_S));
}

/* --- connections without a request --- */

struct connection {
	int server, client;
	struct slow_client *c;
};

static struct connection open_connection(struct slow_client_watch *w)
{
	struct connection c;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	c = (struct connection){fds[0], fds[1], slow_client_opened(w, fds[0])};
	return c;
}

static void close_connection(struct slow_client_watch *w, struct connection *c)
{
	slow_client_closed(w, c->c);
	(void)close(c->server);
	(void)close(c->client);
}

/* Whether the client sees the end of the connection within ms. */
static bool is_cut_off(const struct connection *c, int ms)
{
	struct pollfd p = {.fd = c->client, .events = POLLIN};

	return poll(&p, 1, ms) == 1 && (p.revents & (POLLIN | POLLHUP));
}

static void test_watch(void **state)
{
	struct slow_client_watch *w = slow_client_watch_new(IDLE_S);
	struct connection silent, busy, again, young;

	(void)state;
	assert_non_null(w);
	silent = open_connection(w);
	busy = open_connection(w);
	again = open_connection(w);
	slow_client_busy(w, busy.c);
	slow_client_busy(w, again.c);
	pass(IDLE_S + 2);
	slow_client_waiting(w, again.c); /* its request is over: it waits from now on */
	young = open_connection(w);
	assert_true(is_cut_off(&silent, 5000));
	assert_false(is_cut_off(&busy, 0));
	assert_false(is_cut_off(&again, 0));
	assert_false(is_cut_off(&young, 0));
	close_connection(w, &silent);
	close_connection(w, &busy);
	close_connection(w, &again);
	close_connection(w, &young);
	slow_client_watch_free(w);
}

/* A number that another connection was given after the close is not touched. */
static void test_closed(void **state)
{
	struct slow_client_watch *w = slow_client_watch_new(1);
	struct connection c, other;

	(void)state;
	assert_non_null(w);
	c = open_connection(w);
	other = open_connection(w);
	slow_client_closed(w, c.c);
	pass(3);
	assert_true(is_cut_off(&other, 5000)); /* the watch has come by */
	assert_false(is_cut_off(&c, 0));
	c.c = NULL;
	close_connection(w, &c);
	close_connection(w, &other);
	slow_client_watch_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_rate_boundary),
		cmocka_unit_test(test_rate_by_window),
		cmocka_unit_test_setup(test_watch, reset_clock),
		cmocka_unit_test_setup(test_closed, reset_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

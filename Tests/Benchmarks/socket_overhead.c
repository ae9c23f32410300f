/* What one request costs on the agent's socket, beside a bare Unix-socket echo in the same run.
 *
 *   cc -O2 -o socket_overhead socket_overhead.c
 *   socket_overhead SOCKET PATH BODY_FILE [ROUNDS] [--pin CPU]
 *
 * Blocks of 200 requests to the agent and 200 echoes of as many bytes alternate, so that whatever else the
 * machine does hits both alike. Prints p50 and p99 of each in microseconds and the difference of the medians.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 200, BODY_MAXIMUM = 1 << 20, REPLY_MAXIMUM = 1 << 20, SAMPLES_MAXIMUM = 1 << 20 };

static void fail(const char *what) { perror(what); exit(1); }

static long long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void send_all(int fd, const char *bytes, size_t count) {
  while (count) {
    ssize_t n = write(fd, bytes, count);
    if (n <= 0) fail("write");
    bytes += n;
    count -= (size_t)n;
  }
}

static void receive_all(int fd, char *bytes, size_t count) {
  while (count) {
    ssize_t n = read(fd, bytes, count);
    if (n <= 0) fail("read");
    bytes += n;
    count -= (size_t)n;
  }
}

/* Reads one reply with a Content-Length; returns its size. */
static size_t receive_reply(int fd, char *buffer) {
  size_t have = 0;
  for (;;) {
    ssize_t n = read(fd, buffer + have, REPLY_MAXIMUM - 1 - have);
    if (n <= 0) fail("reply");
    have += (size_t)n;
    buffer[have] = 0;
    char *end = strstr(buffer, "\r\n\r\n");
    if (!end) continue;
    char *length = strcasestr(buffer, "content-length:");
    if (!length || length > end) { fprintf(stderr, "no content-length\n"); exit(1); }
    size_t whole = (size_t)(end + 4 - buffer) + strtoul(length + 15, NULL, 10);
    while (have < whole) {
      n = read(fd, buffer + have, whole - have);
      if (n <= 0) fail("reply body");
      have += (size_t)n;
    }
    return whole;
  }
}

static int compare(const void *a, const void *b) {
  long long x = *(const long long *)a, y = *(const long long *)b;
  return (x > y) - (x < y);
}

static double quantile(const long long *sorted, size_t count, double q) {
  return (double)sorted[(size_t)(q * (double)(count - 1))] / 1000.0;
}

int main(int argc, char **argv) {
  if (argc < 4) { fprintf(stderr, "usage: socket_overhead SOCKET PATH BODY_FILE [ROUNDS] [--pin CPU]\n"); return 2; }
  long rounds = argc > 4 ? strtol(argv[4], NULL, 10) : 20;
  if (rounds < 1 || rounds * BLOCK > SAMPLES_MAXIMUM) { fprintf(stderr, "rounds out of range\n"); return 2; }
  if (argc > 6 && !strcmp(argv[5], "--pin")) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(atoi(argv[6]), &set);
    if (sched_setaffinity(0, sizeof set, &set)) fail("pin");
  }

  char *body = malloc(BODY_MAXIMUM), *request = malloc(BODY_MAXIMUM + 512), *reply = malloc(REPLY_MAXIMUM);
  FILE *file = fopen(argv[3], "rb");
  if (!file) fail(argv[3]);
  size_t body_count = fread(body, 1, BODY_MAXIMUM, file);
  fclose(file);
  size_t request_count = (size_t)sprintf(request,
    "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
    argv[2], body_count);
  memcpy(request + request_count, body, body_count);
  request_count += body_count;

  int agent = socket(AF_UNIX, SOCK_STREAM, 0);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, argv[1], sizeof address.sun_path - 1);
  if (connect(agent, (struct sockaddr *)&address, sizeof address)) fail(argv[1]);

  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) fail("socketpair");
  pid_t child = fork();
  if (child == 0) {
    close(pair[0]);
    char *buffer = malloc(request_count);
    for (;;) {
      size_t have = 0;
      while (have < request_count) {
        ssize_t n = read(pair[1], buffer + have, request_count - have);
        if (n <= 0) _exit(0);
        have += (size_t)n;
      }
      send_all(pair[1], buffer, request_count);
    }
  }
  close(pair[1]);

  long long *served = malloc(sizeof *served * SAMPLES_MAXIMUM), *echoed = malloc(sizeof *echoed * SAMPLES_MAXIMUM);
  size_t count = 0;
  for (int warm = 0; warm < BLOCK; warm++) {
    send_all(agent, request, request_count);
    receive_reply(agent, reply);
    if (strncmp(reply, "HTTP/1.1 200", 12)) { fprintf(stderr, "%s\n", reply); return 1; }
  }
  for (long round = 0; round < rounds; round++) {
    for (int i = 0; i < BLOCK; i++) {
      long long begun = now();
      send_all(agent, request, request_count);
      receive_reply(agent, reply);
      served[count + (size_t)i] = now() - begun;
    }
    for (int i = 0; i < BLOCK; i++) {
      long long begun = now();
      send_all(pair[0], request, request_count);
      receive_all(pair[0], reply, request_count);
      echoed[count + (size_t)i] = now() - begun;
    }
    count += BLOCK;
  }
  qsort(served, count, sizeof *served, compare);
  qsort(echoed, count, sizeof *echoed, compare);
  printf("{\"requests\":%zu,\"request_bytes\":%zu,\"agent_us\":{\"p50\":%.1f,\"p99\":%.1f},"
         "\"echo_us\":{\"p50\":%.1f,\"p99\":%.1f},\"overhead_us\":%.1f}\n",
    count, request_count, quantile(served, count, 0.5), quantile(served, count, 0.99),
    quantile(echoed, count, 0.5), quantile(echoed, count, 0.99),
    quantile(served, count, 0.5) - quantile(echoed, count, 0.5));
  close(pair[0]);
  waitpid(child, NULL, 0);
  return 0;
}

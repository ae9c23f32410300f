/* What one request costs on the agent's socket, beside a bare Unix-socket echo in the same run.
 *
 *   cc -O2 -o socket_overhead socket_overhead.c
 *   socket_overhead SOCKET PATH BODY_FILE [ROUNDS] [--pin CPU] [--header LINE]
 *
 * A path of the form /package.Service/Method with a socket that ends in "grpc.sock" is called over gRPC, the body being
 * its message.
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

/* gRPC: one connection of HTTP/2, one call after the other, each on a stream of its own. */

static char *frame(char *at, size_t count, int type, int flags, unsigned stream) {
  char head[9] = {(char)(count >> 16), (char)(count >> 8), (char)count, (char)type, (char)flags, (char)(stream >> 24),
                  (char)(stream >> 16), (char)(stream >> 8), (char)stream};
  memcpy(at, head, 9);
  return at + 9;
}

/* A field of metadata as a literal that no table remembers, so that every call is the same bytes. */
static char *field(char *at, const char *name, const char *value) {
  size_t n = strlen(name), v = strlen(value);
  if (n > 126 || v > 126) { fprintf(stderr, "metadata too long\n"); exit(1); }
  *at++ = 0;
  *at++ = (char)n;
  memcpy(at, name, n);
  at += n;
  *at++ = (char)v;
  memcpy(at, value, v);
  return at + v;
}

/* Where the numbers of the stream lie in a call. */
static size_t grpc_stream_at[2];

static size_t grpc_call(char *request, const char *path, const char *body, size_t body_count) {
  char *block = request + 9, *end = block;
  end = field(end, ":method", "POST");
  end = field(end, ":scheme", "http");
  end = field(end, ":path", path);
  end = field(end, ":authority", "localhost");
  end = field(end, "content-type", "application/grpc");
  end = field(end, "te", "trailers");
  frame(request, (size_t)(end - block), 1, 4, 0);
  grpc_stream_at[0] = 5;
  grpc_stream_at[1] = (size_t)(end - request) + 5;
  end = frame(end, body_count + 5, 0, 1, 0);
  char prefix[5] = {0, (char)(body_count >> 24), (char)(body_count >> 16), (char)(body_count >> 8), (char)body_count};
  memcpy(end, prefix, 5);
  memcpy(end + 5, body, body_count);
  return (size_t)(end + 5 - request) + body_count;
}

static void grpc_number(char *request, unsigned stream) {
  for (int i = 0; i < 2; i++)
    for (int byte = 0; byte < 4; byte++) request[grpc_stream_at[i] + byte] = (char)(stream >> (24 - 8 * byte));
}

static void grpc_begin(int fd) {
  char bytes[128], *end = bytes;
  memcpy(end, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
  end = frame(end + 24, 0, 4, 0, 0);
  end = frame(end, 4, 8, 0, 0);
  memcpy(end, "\x7f\xff\x00\x00", 4);
  end = frame(end + 4, 0, 4, 1, 0);
  send_all(fd, bytes, (size_t)(end - bytes));
}

/* Reads frames until the stream ends; returns the bytes of its messages, prefixes and all. */
static size_t grpc_reply(int fd, char *buffer, unsigned stream) {
  static size_t have, from;
  size_t messages = 0;
  for (;;) {
    while (have - from >= 9) {
      unsigned char *head = (unsigned char *)buffer + from;
      size_t count = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
      if (have - from < 9 + count) break;
      unsigned id = (unsigned)head[5] << 24 | (unsigned)head[6] << 16 | (unsigned)head[7] << 8 | head[8];
      from += 9 + count;
      if (id == stream && head[3] == 0) messages += count;
      if (head[3] == 7 || head[3] == 3) { fprintf(stderr, "the server ended the call\n"); exit(1); }
      if (id == stream && head[3] == 1 && head[4] & 1) return messages;
    }
    memmove(buffer, buffer + from, have - from);
    have -= from;
    from = 0;
    ssize_t n = read(fd, buffer + have, REPLY_MAXIMUM - have);
    if (n <= 0) fail("reply");
    have += (size_t)n;
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
  if (argc < 4) { fprintf(stderr, "usage: socket_overhead SOCKET PATH BODY_FILE [ROUNDS] [--pin CPU] [--header LINE]\n"); return 2; }
  long rounds = argc > 4 ? strtol(argv[4], NULL, 10) : 20;
  if (rounds < 1 || rounds * BLOCK > SAMPLES_MAXIMUM) { fprintf(stderr, "rounds out of range\n"); return 2; }
  const char *header = "";
  for (int i = 5; i + 1 < argc; i += 2) {
    if (!strcmp(argv[i], "--header")) {
      header = argv[i + 1];
    } else if (!strcmp(argv[i], "--pin")) {
      cpu_set_t set;
      CPU_ZERO(&set);
      CPU_SET(atoi(argv[i + 1]), &set);
      if (sched_setaffinity(0, sizeof set, &set)) fail("pin");
    } else {
      fprintf(stderr, "unknown option %s\n", argv[i]);
      return 2;
    }
  }
  if (strlen(header) > 256) { fprintf(stderr, "the header is too long\n"); return 2; }

  char *body = malloc(BODY_MAXIMUM), *request = malloc(BODY_MAXIMUM + 512), *reply = malloc(REPLY_MAXIMUM),
       *echo = malloc(BODY_MAXIMUM + 512);
  FILE *file = fopen(argv[3], "rb");
  if (!file) fail(argv[3]);
  size_t body_count = fread(body, 1, BODY_MAXIMUM, file);
  fclose(file);
  size_t path_count = strlen(argv[1]);
  int is_grpc = path_count >= 9 && !strcmp(argv[1] + path_count - 9, "grpc.sock");
  unsigned stream = 1;
  size_t request_count;
  if (is_grpc) {
    request_count = grpc_call(request, argv[2], body, body_count);
  } else {
    request_count = (size_t)sprintf(request,
      "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n%s%s\r\n",
      argv[2], body_count, header, *header ? "\r\n" : "");
    memcpy(request + request_count, body, body_count);
    request_count += body_count;
  }

  int agent = socket(AF_UNIX, SOCK_STREAM, 0);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, argv[1], sizeof address.sun_path - 1);
  if (connect(agent, (struct sockaddr *)&address, sizeof address)) fail(argv[1]);
  if (is_grpc) grpc_begin(agent);

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
    if (is_grpc) {
      grpc_number(request, stream);
      send_all(agent, request, request_count);
      if (grpc_reply(agent, reply, stream) == 0) { fprintf(stderr, "the call failed\n"); return 1; }
      stream += 2;
      continue;
    }
    send_all(agent, request, request_count);
    receive_reply(agent, reply);
    if (strncmp(reply, "HTTP/1.1 200", 12)) { fprintf(stderr, "%s\n", reply); return 1; }
  }
  for (long round = 0; round < rounds; round++) {
    for (int i = 0; i < BLOCK; i++) {
      if (is_grpc) grpc_number(request, stream);
      long long begun = now();
      send_all(agent, request, request_count);
      if (is_grpc) {
        if (grpc_reply(agent, reply, stream) == 0) { fprintf(stderr, "the call failed\n"); return 1; }
        stream += 2;
      } else {
        receive_reply(agent, reply);
      }
      served[count + (size_t)i] = now() - begun;
    }
    for (int i = 0; i < BLOCK; i++) {
      long long begun = now();
      send_all(pair[0], request, request_count);
      receive_all(pair[0], echo, request_count);
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

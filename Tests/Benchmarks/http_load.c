// Sends one HTTP request again and again over so many connections, each as soon as it was answered, and prints what came
// back as JSON: answers, those that were not 200, seconds, and quantiles of the time of one in microseconds.
//
// usage: http_load PLACE CONNECTIONS SECONDS REQUEST_FILE    PLACE is the path of a Unix socket, or a port of 127.0.0.1.
// build: cc -O2 -o http_load Tests/Benchmarks/http_load.c
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER = 1 << 20, SAMPLES = 1 << 22 };

struct connection {
  int descriptor;
  size_t sent, have;
  double begun;
  char *buffer;
};

static char *request;
static size_t request_bytes;
static float *samples;
static long answers, refused;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static int connected(const char *place) {
  char *end;
  long port = strtol(place, &end, 10);
  int descriptor;
  if (*end == 0 && port > 0) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    descriptor = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address)) fail(place);
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
  } else {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(place) >= sizeof address.sun_path) exit(2);
    strcpy(address.sun_path, place);
    descriptor = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address)) fail(place);
  }
  return descriptor;
}

static void begin(struct connection *c) {
  c->begun = now();
  c->have = 0;
  for (c->sent = 0; c->sent < request_bytes;) {
    ssize_t count = write(c->descriptor, request + c->sent, request_bytes - c->sent);
    if (count <= 0) fail("write");
    c->sent += count;
  }
}

// Bytes of the whole answer in the buffer; 0 while some are missing.
static size_t whole(struct connection *c) {
  c->buffer[c->have] = 0;
  char *end = strstr(c->buffer, "\r\n\r\n");
  if (!end) return 0;
  size_t head = end + 4 - c->buffer;
  *end = 0;
  char *field = strcasestr(c->buffer, "\r\ncontent-length:");
  size_t length = field ? strtoul(field + 17, NULL, 10) : 0;
  *end = '\r';
  if (!field) {
    fprintf(stderr, "an answer without Content-Length\n");
    exit(1);
  }
  return c->have >= head + length ? head + length : 0;
}

static void take(struct connection *c) {
  ssize_t count = read(c->descriptor, c->buffer + c->have, BUFFER - 1 - c->have);
  if (count <= 0) fail("read");
  c->have += count;
  if (!whole(c)) return;
  if (answers < SAMPLES) samples[answers] = (now() - c->begun) * 1e6;
  answers += 1;
  if (strncmp(c->buffer + 8, " 200", 4)) refused += 1;
  begin(c);
}

static int rising(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

int main(int count, char **words) {
  if (count != 5) return 2;
  int connections = atoi(words[2]);
  double seconds = atof(words[3]);
  FILE *file = fopen(words[4], "rb");
  if (!file) fail(words[4]);
  request = malloc(64 << 20);
  request_bytes = fread(request, 1, 64 << 20, file);
  samples = malloc(SAMPLES * sizeof *samples);
  int queue = epoll_create1(0);
  for (int index = 0; index < connections; index++) {
    struct connection *c = calloc(1, sizeof *c);
    c->buffer = malloc(BUFFER);
    c->descriptor = connected(words[1]);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(queue, EPOLL_CTL_ADD, c->descriptor, &event);
    begin(c);
  }
  double start = now(), end = start + seconds;
  struct epoll_event events[64];
  while (now() < end) {
    int ready = epoll_wait(queue, events, 64, 100);
    for (int index = 0; index < ready; index++) take(events[index].data.ptr);
  }
  double took = now() - start;
  long kept = answers < SAMPLES ? answers : SAMPLES;
  qsort(samples, kept, sizeof *samples, rising);
  double p50 = kept ? samples[kept / 2] : 0, p99 = kept ? samples[kept * 99 / 100] : 0;
  printf("{\"answers\":%ld,\"refused\":%ld,\"seconds\":%.3f,\"per_second\":%.1f,\"p50_us\":%.1f,\"p99_us\":%.1f}\n",
         answers, refused, took, answers / took, p50, p99);
  return 0;
}

#define _GNU_SOURCE
#include "connection.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
  timeout_usual = 30000,
  body_bytes_usual = 64 << 20,
  /// What the buffer for answers keeps between two calls.
  kept_bytes_maximum = 256 << 10,
  /// The shortest and the longest pause between two attempts to connect.
  pause_minimum = 2,
  pause_maximum = 64,
};

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

edgeserve_status fail_with(edgeserve_client *client, edgeserve_status status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  client->error.status = status;
  vsnprintf(client->error.message, sizeof client->error.message, format, arguments);
  va_end(arguments);
  return status;
}

static edgeserve_status fail_system(edgeserve_client *client, edgeserve_status status, const char *what, int number) {
  client->error.system_error = number;
  char words[128] = "";
  // glibc's returns the text, which may lie elsewhere; others put it into `words`.
#if defined(__GLIBC__) && defined(_GNU_SOURCE)
  const char *text = strerror_r(number, words, sizeof words);
#else
  const char *text = strerror_r(number, words, sizeof words) == 0 ? words : "unknown error";
#endif
  return fail_with(client, status, "%s %s: %s", what, client->path, text);
}

static edgeserve_status fail_late(edgeserve_client *client) {
  return fail_with(client, EDGESERVE_DEADLINE_EXCEEDED, "the agent did not answer in time");
}

edgeserve_status edgeserve_open(const char *socket_path, const edgeserve_options *options, edgeserve_client **result) {
  static const edgeserve_options usual;
  if (!result) return EDGESERVE_INVALID_ARGUMENT;
  *result = NULL;
  if (!options) options = &usual;
  const size_t length = socket_path ? strnlen(socket_path, EDGESERVE_PATH_BYTES_MAXIMUM + 1) : 0;
  if (length == 0 || length > EDGESERVE_PATH_BYTES_MAXIMUM ||
      options->timeout_milliseconds > EDGESERVE_TIMEOUT_MILLISECONDS_MAXIMUM ||
      options->reconnect_milliseconds > EDGESERVE_TIMEOUT_MILLISECONDS_MAXIMUM) {
    return EDGESERVE_INVALID_ARGUMENT;
  }
  edgeserve_client *client = calloc(1, sizeof *client);
  if (!client) return EDGESERVE_OUT_OF_MEMORY;
  memcpy(client->path, socket_path, length);
  client->options = *options;
  if (client->options.timeout_milliseconds == 0) client->options.timeout_milliseconds = timeout_usual;
  if (client->options.body_bytes_maximum == 0) client->options.body_bytes_maximum = body_bytes_usual;
  client->socket = -1;
  atomic_flag_clear(&client->is_busy);
  client->interruption = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (client->interruption < 0) {
    free(client);
    return EDGESERVE_OUT_OF_MEMORY;
  }
  *result = client;
  return EDGESERVE_OK;
}

static void disconnect(edgeserve_client *client) {
  if (client->socket >= 0) close(client->socket);
  client->socket = -1;
}

void edgeserve_close(edgeserve_client *client) {
  if (!client) return;
  disconnect(client);
  close(client->interruption);
  free(client->buffer);
  free(client);
}

const edgeserve_error *edgeserve_last_error(const edgeserve_client *client) { return &client->error; }

void edgeserve_interrupt(edgeserve_client *client) {
  const uint64_t one = 1;
  const int kept = errno;
  // It fails when the event stands already, which is as good.
  if (write(client->interruption, &one, sizeof one) < 0) errno = kept;
}

void edgeserve_resume(edgeserve_client *client) {
  uint64_t events;
  const int kept = errno;
  if (read(client->interruption, &events, sizeof events) < 0) errno = kept;
}

edgeserve_status begin_call(edgeserve_client *client, uint32_t timeout_milliseconds) {
  if (atomic_flag_test_and_set_explicit(&client->is_busy, memory_order_acquire)) return EDGESERVE_BUSY;
  memset(&client->error, 0, sizeof client->error);
  if (timeout_milliseconds == 0) timeout_milliseconds = client->options.timeout_milliseconds;
  client->deadline = now() + (uint64_t)timeout_milliseconds * 1000000;
  return EDGESERVE_OK;
}

edgeserve_status end_call(edgeserve_client *client, edgeserve_status status) {
  // What a first attempt left behind is no failure once the second succeeds.
  if (status == EDGESERVE_OK) memset(&client->error, 0, sizeof client->error);
  client->error.status = status;
  if (client->capacity > kept_bytes_maximum) {
    free(client->buffer);
    client->buffer = NULL;
    client->capacity = 0;
  }
  atomic_flag_clear_explicit(&client->is_busy, memory_order_release);
  return status;
}

uint32_t milliseconds_left(const edgeserve_client *client) {
  const uint64_t time = now();
  // Rounded up, so that waiting never turns.
  return time >= client->deadline ? 0 : (uint32_t)((client->deadline - time + 999999) / 1000000);
}

/// Waits until the socket is ready for `events`; with no socket, for that many milliseconds.
static edgeserve_status wait_for(edgeserve_client *client, int socket, short events, uint32_t milliseconds) {
  struct pollfd files[2] = {{.fd = client->interruption, .events = POLLIN}, {.fd = socket, .events = events}};
  const uint32_t left = milliseconds_left(client);
  if (left == 0) return fail_late(client);
  const int count = poll(files, 2, (int)(left < milliseconds ? left : milliseconds));
  if (count < 0 && errno != EINTR) return fail_system(client, EDGESERVE_CONNECTION_LOST, "cannot wait for", errno);
  if (count > 0 && files[0].revents) return fail_with(client, EDGESERVE_INTERRUPTED, "the call was interrupted");
  return EDGESERVE_OK;
}

/// Connects, and while there is no agent tries on for as long as the options say.
static edgeserve_status connect_within(edgeserve_client *client) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  memcpy(address.sun_path, client->path, sizeof client->path);
  const uint64_t end = now() + (uint64_t)client->options.reconnect_milliseconds * 1000000;
  for (uint32_t pause = pause_minimum;; pause = pause < pause_maximum ? pause * 2 : pause_maximum) {
    const int made = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (made < 0) return fail_system(client, EDGESERVE_UNREACHABLE, "no socket for", errno);
    if (connect(made, (const struct sockaddr *)&address, sizeof address) == 0) {
      client->socket = made;
      return EDGESERVE_OK;
    }
    const int number = errno;
    close(made);
    // EAGAIN: the agent has as many connections waiting as it takes.
    const bool is_absent = number == ENOENT || number == ECONNREFUSED;
    if (number != EAGAIN && number != EINTR && (!is_absent || now() >= end)) {
      return fail_system(client, EDGESERVE_UNREACHABLE, "cannot connect to", number);
    }
    const edgeserve_status status = wait_for(client, -1, 0, pause);
    if (status != EDGESERVE_OK) return status;
  }
}

/// Whether the agent has closed a kept connection, or sent what nobody asked for.
static bool is_stale(const edgeserve_client *client) {
  char byte;
  return recv(client->socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno != EAGAIN;
}

/// Sends all parts; ends early, in order, when the agent closes, for it may have answered before.
static edgeserve_status send_parts(edgeserve_client *client, const struct iovec *parts, size_t count,
                                   bool *is_sent) {
  struct iovec left[EDGESERVE_TENSORS_MAXIMUM + 1];
  struct msghdr message = {.msg_iov = left, .msg_iovlen = count};
  memcpy(left, parts, count * sizeof *parts);
  *is_sent = false;
  while (message.msg_iovlen > 0) {
    const ssize_t sent = sendmsg(client->socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      if (errno == EPIPE || errno == ECONNRESET) return EDGESERVE_OK;
      if (errno != EAGAIN && errno != EINTR) {
        return fail_system(client, EDGESERVE_CONNECTION_LOST, "cannot send to", errno);
      }
      const edgeserve_status status = wait_for(client, client->socket, POLLOUT, UINT32_MAX >> 1);
      if (status != EDGESERVE_OK) return status;
      continue;
    }
    size_t bytes = (size_t)sent;
    while (message.msg_iovlen > 0 && bytes >= message.msg_iov->iov_len) {
      bytes -= message.msg_iov->iov_len;
      message.msg_iov++;
      message.msg_iovlen--;
    }
    if (message.msg_iovlen > 0) {
      message.msg_iov->iov_base = (char *)message.msg_iov->iov_base + bytes;
      message.msg_iov->iov_len -= bytes;
    }
  }
  *is_sent = true;
  return EDGESERVE_OK;
}

static edgeserve_status reserve(edgeserve_client *client, size_t capacity) {
  if (capacity <= client->capacity) return EDGESERVE_OK;
  uint8_t *buffer = realloc(client->buffer, capacity);
  if (!buffer) return fail_with(client, EDGESERVE_OUT_OF_MEMORY, "no memory for an answer of %zu bytes", capacity);
  client->buffer = buffer;
  client->capacity = capacity;
  return EDGESERVE_OK;
}

/// Receives until `*count` bytes of the buffer are more than before, or the capacity is reached.
static edgeserve_status receive_some(edgeserve_client *client, size_t *count) {
  for (;;) {
    const ssize_t received = recv(client->socket, client->buffer + *count, client->capacity - *count, MSG_DONTWAIT);
    if (received > 0) {
      *count += (size_t)received;
      return EDGESERVE_OK;
    }
    if (received == 0 || errno == ECONNRESET) {
      return fail_with(client, EDGESERVE_CONNECTION_LOST, "the agent closed the connection before its answer ended");
    }
    if (errno != EAGAIN && errno != EINTR) {
      return fail_system(client, EDGESERVE_CONNECTION_LOST, "cannot receive from", errno);
    }
    const edgeserve_status status = wait_for(client, client->socket, POLLIN, UINT32_MAX >> 1);
    if (status != EDGESERVE_OK) return status;
  }
}

/// Receives one answer; `*count` is how many of its bytes came, also after a failure.
static edgeserve_status receive(edgeserve_client *client, struct answer *answer, size_t *count) {
  size_t scanned = 0, start = 0;
  edgeserve_status status = reserve(client, EDGESERVE_HEAD_BYTES_MAXIMUM);
  *count = 0;
  while (status == EDGESERVE_OK) {
    start = find_head_end(client->buffer, *count, &scanned);
    if (start > 0) {
      if (!decode_head(client->buffer, start, &answer->head)) {
        return fail_with(client, EDGESERVE_MALFORMED_ANSWER, "the answer's head is none of HTTP/1.1");
      }
      if (answer->head.status >= 200) break;
      // The agent says that it goes on; the answer itself follows.
      *count -= start;
      memmove(client->buffer, client->buffer + start, *count);
      scanned = 0;
      continue;
    }
    if (*count >= EDGESERVE_HEAD_BYTES_MAXIMUM) {
      return fail_with(client, EDGESERVE_MALFORMED_ANSWER, "the answer's head is longer than %d bytes",
                       EDGESERVE_HEAD_BYTES_MAXIMUM);
    }
    status = receive_some(client, count);
  }
  if (status != EDGESERVE_OK) return status;
  const size_t length = answer->head.content_length;
  if (length > client->options.body_bytes_maximum) {
    return fail_with(client, EDGESERVE_TOO_LARGE, "the answer has %zu bytes, %zu at most are taken", length,
                     client->options.body_bytes_maximum);
  }
  status = reserve(client, start + length);
  while (status == EDGESERVE_OK && *count < start + length) status = receive_some(client, count);
  if (status == EDGESERVE_OK && *count > start + length) {
    return fail_with(client, EDGESERVE_MALFORMED_ANSWER, "bytes follow the answer");
  }
  answer->body = client->buffer + start;
  return status;
}

edgeserve_status exchange(edgeserve_client *client, const struct iovec *parts, size_t count, struct answer *answer) {
  for (bool may_repeat = true;; may_repeat = false) {
    if (client->socket >= 0 && is_stale(client)) disconnect(client);
    const bool was_kept = client->socket >= 0;
    size_t received = 0;
    bool is_sent = false;
    edgeserve_status status = wait_for(client, -1, 0, 0);
    if (status == EDGESERVE_OK && !was_kept) status = connect_within(client);
    if (status == EDGESERVE_OK) status = send_parts(client, parts, count, &is_sent);
    if (status == EDGESERVE_OK) status = receive(client, answer, &received);
    if (status != EDGESERVE_OK || !is_sent || !answer->head.keeps_alive) disconnect(client);
    if (status != EDGESERVE_CONNECTION_LOST || !was_kept || received > 0 || !may_repeat) return status;
  }
}

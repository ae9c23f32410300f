#pragma once

#include <stdatomic.h>
#include <sys/uio.h>

#include "decoding.h"

/// A client: its settings, its connection, and what the last call left.
struct edgeserve_client {
  char path[EDGESERVE_PATH_BYTES_MAXIMUM + 1];
  edgeserve_options options;
  /// −1 while there is no connection.
  int socket;
  /// An event that interrupts; readable until edgeserve_resume.
  int interruption;
  /// Set while a call is under way.
  atomic_flag is_busy;
  /// When the call must have ended, in nanoseconds of the monotonic clock.
  uint64_t deadline;
  uint8_t *buffer;
  size_t capacity;
  edgeserve_error error;
};

/// A whole answer; the body lies in the client's buffer until the next call.
struct answer {
  struct answer_head head;
  const uint8_t *body;
};

/// Says why a call fails, in `printf`'s manner, and returns the status.
__attribute__((format(printf, 3, 4))) edgeserve_status fail_with(edgeserve_client *client, edgeserve_status status,
                                                                 const char *format, ...);

/// Begins a call that must end within that time, 0 for the client's; EDGESERVE_BUSY without a trace in `error`.
edgeserve_status begin_call(edgeserve_client *client, uint32_t timeout_milliseconds);

/// Ends the call; returns the status that it is given.
edgeserve_status end_call(edgeserve_client *client, edgeserve_status status);

uint32_t milliseconds_left(const edgeserve_client *client);

/// Sends one request, in parts, and waits for its whole answer. The parts are left as they are.
edgeserve_status exchange(edgeserve_client *client, const struct iovec *parts, size_t count, struct answer *answer);

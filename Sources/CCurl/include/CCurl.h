#pragma once

#include <stddef.h>
#include <stdint.h>

/// A client for files over http and https, through a libcurl that is opened when the first one is made; it keeps its
/// connection from one file to the next. For one thread at a time, but for `ccurl_cancel`.
struct ccurl_client;

/// What a transfer is bounded by.
struct ccurl_limits {
  /// Bytes of a file's body.
  size_t bytes_maximum;
  /// From the beginning to the connection, and to the end.
  long connect_milliseconds;
  long whole_milliseconds;
  /// Below so many bytes a second for so many seconds the transfer is given up.
  long slow_bytes;
  long slow_seconds;
  long redirects;
};

enum ccurl_outcome {
  ccurl_done,
  /// The server answered with another status than 200.
  ccurl_status,
  /// The body is larger than it may be.
  ccurl_too_large,
  ccurl_cancelled,
  /// Anything else: the words of `ccurl_error` say what.
  ccurl_failed,
};

/// Whether libcurl can be opened; it stays open.
int ccurl_is_there(void);

/// Nil when libcurl is not there or there is no memory.
///
/// `authorities` is a file of certificates in PEM that are trusted, or nil for those that the library trusts. Redirects
/// never lead from https to http.
struct ccurl_client *ccurl_new(const char *authorities, int is_secure, const struct ccurl_limits *limits);
void ccurl_free(struct ccurl_client *client);

/// Gets a file; `status` is set to the server's, or to 0 when there was none.
enum ccurl_outcome ccurl_get(struct ccurl_client *client, const char *address, long *status);

/// The body of the last file that was got, until the next call.
const uint8_t *ccurl_bytes(const struct ccurl_client *client, size_t *count);

/// What failed last; until the next call.
const char *ccurl_error(const struct ccurl_client *client);

/// Ends the transfer that is under way, and every later one; from any thread.
void ccurl_cancel(struct ccurl_client *client);

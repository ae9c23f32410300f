#pragma once

#include "include/edgeserve.h"

/// A run of bytes that was received, read from its start to its end and never beyond.
///
/// After something that is no JSON, or not what was asked for, `failed` is set and every further call reads nothing.
struct json {
  const uint8_t *bytes;
  size_t count;
  size_t offset;
  bool failed;
};

/// Blocks that are freed together.
struct arena {
  struct arena_block *first;
};

/// Zeroed memory, aligned to 16 bytes; null when there is none left.
void *arena_allocate(struct arena *arena, size_t count, size_t size);
void arena_free(struct arena *arena);

/// What the head of an answer says.
struct answer_head {
  int status;
  /// Bytes of the body.
  size_t content_length;
  /// Bytes of JSON before the tensors; SIZE_MAX when the body is JSON alone.
  size_t json_length;
  uint32_t retry_after_seconds;
  bool keeps_alive;
};

/// Where the line after the head begins; 0 when the head is not whole yet. `*scanned` is where to go on next time.
size_t find_head_end(const uint8_t *bytes, size_t count, size_t *scanned);

/// Reads a head of `count` bytes with its last empty line; false when it is none of HTTP/1.1, or its body has no length.
bool decode_head(const uint8_t *bytes, size_t count, struct answer_head *head);

/// What decoding came to: EDGESERVE_OK, EDGESERVE_OUT_OF_MEMORY or EDGESERVE_MALFORMED_ANSWER.
///
/// `body` is a whole body, of which `json_length` bytes are JSON, SIZE_MAX for all.
edgeserve_status decode_response(const uint8_t *body, size_t count, size_t json_length, edgeserve_response **response);
edgeserve_status decode_metadata(const uint8_t *body, size_t count, edgeserve_metadata **metadata);
edgeserve_status decode_model_list(const uint8_t *body, size_t count, edgeserve_model_list **list);

/// The words of `{"error": words}`, cut to `capacity` bytes with the final zero; empty when there are none.
void decode_error(const uint8_t *body, size_t count, char *message, size_t capacity);

/// Whether `byte_count` is what the shape and the type come to; any number will do for strings.
bool has_size(const edgeserve_tensor *tensor, size_t byte_count);

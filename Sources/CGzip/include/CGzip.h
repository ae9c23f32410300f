#pragma once

#include <stddef.h>
#include <stdint.h>

enum cgzip_outcome {
  cgzip_done,
  cgzip_truncated,
  cgzip_malformed,
  /// The data are longer than there is room for.
  cgzip_too_large,
  /// Bytes follow the trailer.
  cgzip_trailing_bytes,
  cgzip_out_of_memory,
};

/// Decompresses one gzip member of `count` bytes into at most `capacity` bytes, of which there is one or more.
///
/// `written` is set when it is done, `reason` to words of zlib's, which live as long as the program, when it is
/// malformed.
enum cgzip_outcome cgzip_decompress(const uint8_t *bytes, uint32_t count, uint8_t *output, uint32_t capacity,
                                    size_t *written, const char **reason);

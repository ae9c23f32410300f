#include "CGzip.h"

#include <zlib.h>

// The largest window, and a gzip header and trailer around the data.
enum { window_bits = MAX_WBITS + 16 };

static enum cgzip_outcome outcome(int status, const z_stream *stream) {
  switch (status) {
    case Z_STREAM_END: return stream->avail_in == 0 ? cgzip_done : cgzip_trailing_bytes;
    case Z_DATA_ERROR:
    case Z_NEED_DICT: return cgzip_malformed;
    case Z_MEM_ERROR: return cgzip_out_of_memory;
    default: return stream->avail_out == 0 ? cgzip_too_large : cgzip_truncated;
  }
}

enum cgzip_outcome cgzip_decompress(const uint8_t *bytes, uint32_t count, uint8_t *output, uint32_t capacity,
                                    size_t *written, const char **reason) {
  z_stream stream = {.next_in = (Bytef *)bytes, .avail_in = count, .next_out = output, .avail_out = capacity};
  if (inflateInit2(&stream, window_bits) != Z_OK) return cgzip_out_of_memory;
  const enum cgzip_outcome result = outcome(inflate(&stream, Z_FINISH), &stream);
  *written = capacity - stream.avail_out;
  *reason = stream.msg ? stream.msg : "unknown data";
  inflateEnd(&stream);
  return result;
}

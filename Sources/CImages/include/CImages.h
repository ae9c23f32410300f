#pragma once

#include <stddef.h>
#include <stdint.h>

enum cimages_outcome {
  cimages_done,
  /// The library that reads this format is not loaded.
  cimages_no_library,
  /// The bytes are no image of the format, or not all of one; see the reason.
  cimages_malformed,
  /// Colours that cannot be brought to red, green and blue: those of printing inks.
  cimages_inks,
  cimages_out_of_memory,
};

enum cimages_format { cimages_jpeg, cimages_png };

#define CIMAGES_REASON_BYTES 128

/// What is read of an image's head.
struct cimages_head {
  uint32_t width, height;
};

/// The file of the library that reads `format`.
const char *cimages_library(enum cimages_format format);

/// Loads the library that reads `format`, once; zero when it cannot be loaded, or lacks what is needed.
int cimages_load(enum cimages_format format);

/// Reads width and height, and decodes nothing.
///
/// `reason` gets words of the library's when the bytes are malformed.
enum cimages_outcome cimages_read_head(enum cimages_format format, const uint8_t *bytes, size_t count,
                                       struct cimages_head *head, char reason[CIMAGES_REASON_BYTES]);

/// Decodes to 8 bits for each of `channels` channels, 1 for grey or 3 for red, green and blue, without gaps.
///
/// `pixels` holds `capacity` bytes; an image that needs more, because its head says so by now, is malformed.
enum cimages_outcome cimages_decode(enum cimages_format format, const uint8_t *bytes, size_t count, int channels,
                                    uint8_t *pixels, size_t capacity, char reason[CIMAGES_REASON_BYTES]);

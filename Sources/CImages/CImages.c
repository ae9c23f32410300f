#include "CImages.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

// The libraries are opened when an image is to be read first, so that a device that reads none needs none. What is
// called of them is declared here as their own headers have it: TurboJPEG 2 and 3, and libpng's simplified interface.

// MARK: TurboJPEG

enum { TJ_RGB = 0, TJ_GREY = 6 };
enum { TJ_SPACE_CMYK = 3, TJ_SPACE_YCCK = 4 };
// A damaged image is an error, and so is one of more than 500 scans, each of which takes as long as the whole.
enum { TJ_STOP_ON_WARNING = 8192, TJ_LIMIT_SCANS = 32768 };

static struct {
  void *(*init)(void);
  int (*head)(void *, const unsigned char *, unsigned long, int *, int *, int *, int *);
  int (*decode)(void *, const unsigned char *, unsigned long, unsigned char *, int, int, int, int, int);
  char *(*error)(void *);
  int (*destroy)(void *);
} jpeg;

// MARK: libpng

enum { PNG_VERSION = 1, PNG_GREY = 0, PNG_RGB = 2 };

struct png_image {
  void *opaque;
  uint32_t version, width, height, format, flags, colormap_entries, warning_or_error;
  char message[64];
};

struct png_color {
  uint8_t red, green, blue;
};

static struct {
  int (*begin)(struct png_image *, const void *, size_t);
  int (*finish)(struct png_image *, const struct png_color *, void *, int32_t, void *);
  void (*free)(struct png_image *);
} png;

// MARK: Loading

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int jpeg_loaded, png_loaded;

const char *cimages_library(enum cimages_format format) {
  return format == cimages_jpeg ? "libturbojpeg.so.0" : "libpng16.so.16";
}

static int find(void *library, const char *name, void *pointer) {
  void *symbol = dlsym(library, name);
  memcpy(pointer, &symbol, sizeof symbol);
  return symbol != NULL;
}

static int load_jpeg(void *library) {
  return find(library, "tjInitDecompress", &jpeg.init) && find(library, "tjDecompressHeader3", &jpeg.head) &&
         find(library, "tjDecompress2", &jpeg.decode) && find(library, "tjGetErrorStr2", &jpeg.error) &&
         find(library, "tjDestroy", &jpeg.destroy);
}

static int load_png(void *library) {
  return find(library, "png_image_begin_read_from_memory", &png.begin) &&
         find(library, "png_image_finish_read", &png.finish) && find(library, "png_image_free", &png.free);
}

int cimages_load(enum cimages_format format) {
  pthread_mutex_lock(&lock);
  int *loaded = format == cimages_jpeg ? &jpeg_loaded : &png_loaded;
  if (!*loaded) {
    void *library = dlopen(cimages_library(format), RTLD_NOW | RTLD_LOCAL);
    if (library != NULL) {
      *loaded = format == cimages_jpeg ? load_jpeg(library) : load_png(library);
      if (!*loaded) dlclose(library);
    }
  }
  int result = *loaded;
  pthread_mutex_unlock(&lock);
  return result;
}

// MARK: Reading

static void copy_reason(char reason[CIMAGES_REASON_BYTES], const char *text) {
  snprintf(reason, CIMAGES_REASON_BYTES, "%s", text == NULL ? "" : text);
}

static enum cimages_outcome read_jpeg(const uint8_t *bytes, size_t count, struct cimages_head *head, int channels,
                                      uint8_t *pixels, size_t capacity, char reason[CIMAGES_REASON_BYTES]) {
  void *decoder = jpeg.init();
  if (decoder == NULL) return cimages_out_of_memory;
  int width = 0, height = 0, sampling = 0, space = 0;
  enum cimages_outcome outcome = cimages_done;
  if (jpeg.head(decoder, bytes, count, &width, &height, &sampling, &space) != 0 || width <= 0 || height <= 0) {
    copy_reason(reason, jpeg.error(decoder));
    outcome = cimages_malformed;
  } else if (space == TJ_SPACE_CMYK || space == TJ_SPACE_YCCK) {
    outcome = cimages_inks;
  } else if (pixels == NULL) {
    head->width = (uint32_t)width;
    head->height = (uint32_t)height;
  } else if ((uint64_t)width * (uint64_t)height > capacity / (uint64_t)channels) {
    copy_reason(reason, "larger than its head says");
    outcome = cimages_malformed;
  } else if (jpeg.decode(decoder, bytes, count, pixels, width, 0, height, channels == 1 ? TJ_GREY : TJ_RGB,
                         TJ_STOP_ON_WARNING | TJ_LIMIT_SCANS) != 0) {
    copy_reason(reason, jpeg.error(decoder));
    outcome = cimages_malformed;
  }
  jpeg.destroy(decoder);
  return outcome;
}

static enum cimages_outcome read_png(const uint8_t *bytes, size_t count, struct cimages_head *head, int channels,
                                     uint8_t *pixels, size_t capacity, char reason[CIMAGES_REASON_BYTES]) {
  struct png_image image;
  memset(&image, 0, sizeof image);
  image.version = PNG_VERSION;
  enum cimages_outcome outcome = cimages_done;
  // Transparent parts show black behind them.
  const struct png_color black = {0, 0, 0};
  if (!png.begin(&image, bytes, count)) {
    copy_reason(reason, image.message);
    outcome = cimages_malformed;
  } else if (pixels == NULL) {
    head->width = image.width;
    head->height = image.height;
  } else if ((uint64_t)image.width * image.height > capacity / (uint64_t)channels) {
    copy_reason(reason, "larger than its head says");
    outcome = cimages_malformed;
  } else {
    image.format = channels == 1 ? PNG_GREY : PNG_RGB;
    if (!png.finish(&image, &black, pixels, 0, NULL)) {
      copy_reason(reason, image.message);
      outcome = cimages_malformed;
    }
  }
  png.free(&image);
  return outcome;
}

static enum cimages_outcome read_image(enum cimages_format format, const uint8_t *bytes, size_t count,
                                       struct cimages_head *head, int channels, uint8_t *pixels, size_t capacity,
                                       char reason[CIMAGES_REASON_BYTES]) {
  reason[0] = 0;
  if (!cimages_load(format)) return cimages_no_library;
  return format == cimages_jpeg ? read_jpeg(bytes, count, head, channels, pixels, capacity, reason)
                                : read_png(bytes, count, head, channels, pixels, capacity, reason);
}

enum cimages_outcome cimages_read_head(enum cimages_format format, const uint8_t *bytes, size_t count,
                                       struct cimages_head *head, char reason[CIMAGES_REASON_BYTES]) {
  return read_image(format, bytes, count, head, 3, NULL, 0, reason);
}

enum cimages_outcome cimages_decode(enum cimages_format format, const uint8_t *bytes, size_t count, int channels,
                                    uint8_t *pixels, size_t capacity, char reason[CIMAGES_REASON_BYTES]) {
  struct cimages_head head;
  return read_image(format, bytes, count, &head, channels, pixels, capacity, reason);
}

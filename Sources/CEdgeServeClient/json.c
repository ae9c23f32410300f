#include "json.h"

#include <string.h>

static bool fail(struct json *json) {
  json->failed = true;
  return false;
}

/// The next byte that is no white space, not passed over; −1 at the end and after a failure.
static int peek(struct json *json) {
  while (!json->failed && json->offset < json->count) {
    const uint8_t byte = json->bytes[json->offset];
    if (byte != ' ' && byte != '\n' && byte != '\r' && byte != '\t') return byte;
    json->offset++;
  }
  return -1;
}

static bool take(struct json *json, uint8_t byte) {
  if (peek(json) != byte) return false;
  json->offset++;
  return true;
}

bool json_open(struct json *json, uint8_t byte) { return take(json, byte) || fail(json); }

bool json_at_end(struct json *json) { return peek(json) == -1 && !json->failed; }

/// The value of four hexadecimal digits at the offset, which are passed over; −1 for anything else.
static int hexadecimal(struct json *json) {
  int value = 0;
  if (json->count - json->offset < 4) return -1;
  for (int digit = 0; digit < 4; digit++) {
    const uint8_t byte = json->bytes[json->offset++];
    value <<= 4;
    if (byte >= '0' && byte <= '9') {
      value += byte - '0';
    } else if ((byte | 32) >= 'a' && (byte | 32) <= 'f') {
      value += (byte | 32) - 'a' + 10;
    } else {
      return -1;
    }
  }
  return value;
}

/// The scalar that an escape behind `\u` stands for, with its second half; −1 for none, and for zero.
static long escaped_scalar(struct json *json) {
  const int first = hexadecimal(json);
  if (first < 0xD800 || first > 0xDFFF) return first == 0 ? -1 : first;
  if (first > 0xDBFF || json->count - json->offset < 2) return -1;
  if (json->bytes[json->offset] != '\\' || json->bytes[json->offset + 1] != 'u') return -1;
  json->offset += 2;
  const int second = hexadecimal(json);
  if (second < 0xDC00 || second > 0xDFFF) return -1;
  return 0x10000 + ((long)(first - 0xD800) << 10) + (second - 0xDC00);
}

static size_t put_utf8(char *output, long scalar) {
  if (scalar < 0x80) {
    output[0] = (char)scalar;
    return 1;
  }
  const size_t count = scalar < 0x800 ? 2 : scalar < 0x10000 ? 3 : 4;
  for (size_t index = count - 1; index > 0; index--) {
    output[index] = (char)(0x80 | (scalar & 0x3F));
    scalar >>= 6;
  }
  output[0] = (char)((0xF00 >> count) | scalar);
  return count;
}

/// Decodes the string behind its opening quote; `output` has room for as many bytes as stand before the closing one.
///
/// Returns the bytes that were put there; null for `output` passes over the string.
static size_t decode_string(struct json *json, char *output) {
  char unused[4];
  size_t written = 0;
  while (json->offset < json->count) {
    const uint8_t byte = json->bytes[json->offset++];
    char *place = output ? output + written : unused;
    if (byte == '"') return written;
    if (byte < 0x20) break;
    if (byte != '\\') {
      *place = (char)byte;
      written++;
      continue;
    }
    if (json->offset == json->count) break;
    const uint8_t escape = json->bytes[json->offset++];
    static const char escapes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    const char *known = escape ? strchr(escapes, escape) : NULL;
    const long scalar = escape == 'u' ? escaped_scalar(json) : known ? meanings[known - escapes] : -1;
    if (scalar < 0) break;
    written += put_utf8(place, scalar);
  }
  fail(json);
  return 0;
}

/// The offset behind the string's closing quote, from behind the opening one; 0 when it has none.
static size_t string_end(const struct json *json) {
  for (size_t offset = json->offset; offset < json->count; offset++) {
    if (json->bytes[offset] == '"') return offset + 1;
    if (json->bytes[offset] == '\\') offset++;
  }
  return 0;
}

const char *json_string(struct json *json, struct arena *arena, bool *is_full) {
  if (!json_open(json, '"')) return NULL;
  const size_t end = string_end(json);
  if (end == 0) {
    fail(json);
    return NULL;
  }
  // No escape is shorter than what it stands for; the place of the closing quote is that of the final zero.
  char *text = arena_allocate(arena, end - json->offset, 1);
  if (!text) {
    *is_full = true;
    fail(json);
    return NULL;
  }
  decode_string(json, text);
  return json->failed ? NULL : text;
}

bool json_next_key(struct json *json, size_t *index, const char *keys[], size_t key_count, size_t *key) {
  char name[32] = "";
  if (json->failed || take(json, '}')) return false;
  if ((*index)++ > 0 && !json_open(json, ',')) return false;
  if (!json_open(json, '"')) return false;
  const size_t end = string_end(json);
  if (end == 0) return fail(json);
  // A longer key is none of those that are looked for.
  const bool fits = end - json->offset < sizeof name;
  decode_string(json, fits ? name : NULL);
  if (!json_open(json, ':')) return false;
  *key = key_count;
  for (size_t known = 0; fits && known < key_count; known++) {
    if (strcmp(name, keys[known]) == 0) *key = known;
  }
  return true;
}

bool json_next_element(struct json *json, size_t *index) {
  if (json->failed || take(json, ']')) return false;
  if ((*index)++ > 0 && !json_open(json, ',')) return false;
  return peek(json) != -1 || fail(json);
}

size_t json_count_elements(struct json *json, size_t maximum) {
  struct json ahead = *json;
  size_t index = 0;
  json_open(&ahead, '[');
  while (json_next_element(&ahead, &index) && index <= maximum) json_skip(&ahead);
  if (ahead.failed || index > maximum) fail(json);
  return json->failed ? 0 : index;
}

int64_t json_integer(struct json *json) {
  const bool is_negative = take(json, '-');
  int64_t value = 0;
  size_t digits = 0;
  // Eighteen digits fit, and none of the protocol's numbers has more.
  while (json->offset < json->count && json->bytes[json->offset] >= '0' && json->bytes[json->offset] <= '9' &&
         digits < 18) {
    value = value * 10 + (json->bytes[json->offset++] - '0');
    digits++;
  }
  const int next = json->offset < json->count ? json->bytes[json->offset] : -1;
  if (json->failed || digits == 0 || (next >= '0' && next <= '9') || next == '.' || (next | 32) == 'e') {
    fail(json);
    return 0;
  }
  return is_negative ? -value : value;
}

/// Passes over a number, true, false or null.
static void skip_word(struct json *json) {
  const size_t start = json->offset;
  while (json->offset < json->count) {
    const uint8_t byte = json->bytes[json->offset];
    const bool is_letter = (byte | 32) >= 'a' && (byte | 32) <= 'z';
    if (!is_letter && (byte < '0' || byte > '9') && byte != '-' && byte != '+' && byte != '.') break;
    json->offset++;
  }
  if (json->offset == start) fail(json);
}

void json_skip(struct json *json) {
  uint8_t closing[EDGESERVE_DEPTH_MAXIMUM];
  size_t depth = 0;
  bool expects_value = true;
  while (!json->failed) {
    const int byte = peek(json);
    if (depth > 0 && byte == closing[depth - 1]) {
      json->offset++;
      depth--;
    } else if (!expects_value && depth > 0 && (byte == ',' || byte == ':')) {
      json->offset++;
      expects_value = true;
      continue;
    } else if (!expects_value) {
      fail(json);
    } else if (byte == '{' || byte == '[') {
      if (depth == EDGESERVE_DEPTH_MAXIMUM) {
        fail(json);
        return;
      }
      closing[depth++] = byte == '{' ? '}' : ']';
      json->offset++;
      continue;
    } else if (byte == '"') {
      json->offset++;
      decode_string(json, NULL);
    } else {
      skip_word(json);
    }
    expects_value = false;
    if (depth == 0) return;
  }
}

#define _GNU_SOURCE
#include "decoding.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "json.h"

/// The order of `edgeserve_datatype`, whose first number is 1.
static const struct {
  const char *name;
  size_t size;
} datatypes[] = {
  {"BOOL", 1},  {"UINT8", 1}, {"UINT16", 2}, {"UINT32", 4}, {"UINT64", 8}, {"INT8", 1}, {"INT16", 2},
  {"INT32", 4}, {"INT64", 8}, {"FP16", 2},   {"FP32", 4},   {"FP64", 8},   {"BYTES", 0},
};
static const size_t datatype_count = sizeof datatypes / sizeof datatypes[0];

static bool is_datatype(edgeserve_datatype datatype) { return (size_t)datatype - 1 < datatype_count; }

size_t edgeserve_datatype_size(edgeserve_datatype datatype) {
  return is_datatype(datatype) ? datatypes[datatype - 1].size : 0;
}

const char *edgeserve_datatype_name(edgeserve_datatype datatype) {
  return is_datatype(datatype) ? datatypes[datatype - 1].name : NULL;
}

bool has_size(const edgeserve_tensor *tensor, size_t byte_count) {
  size_t count = edgeserve_datatype_size(tensor->datatype);
  if (count == 0) return true;
  for (size_t axis = 0; axis < tensor->rank; axis++) {
    const int64_t extent = tensor->shape[axis];
    if (extent < 0 || __builtin_mul_overflow(count, (uint64_t)extent, &count)) return false;
  }
  return count == byte_count;
}

/// One allocation, its bytes behind this.
struct arena_block {
  _Alignas(16) struct arena_block *next;
};

void *arena_allocate(struct arena *arena, size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes) ||
      __builtin_add_overflow(bytes, sizeof(struct arena_block), &bytes)) {
    return NULL;
  }
  struct arena_block *block = calloc(1, bytes);
  if (!block) return NULL;
  block->next = arena->first;
  arena->first = block;
  return block + 1;
}

void arena_free(struct arena *arena) {
  struct arena_block *block = arena->first;
  while (block) {
    struct arena_block *next = block->next;
    free(block);
    block = next;
  }
}

/// What an answer is read with: its JSON, the tensors behind it, and the memory that the result takes.
struct decoder {
  struct json json;
  struct arena arena;
  const uint8_t *tensors;
  size_t tensors_count;
  bool is_full;
};

static void *allocate(struct decoder *decoder, size_t count, size_t size) {
  void *memory = arena_allocate(&decoder->arena, count, size);
  if (!memory) decoder->is_full = decoder->json.failed = true;
  return memory;
}

static const char *text(struct decoder *decoder) {
  return json_string(&decoder->json, &decoder->arena, &decoder->is_full);
}

static const char *const *texts(struct decoder *decoder, size_t *count) {
  *count = json_count_elements(&decoder->json, EDGESERVE_ENTRIES_MAXIMUM);
  const char **list = allocate(decoder, *count, sizeof *list);
  json_open(&decoder->json, '[');
  for (size_t index = 0; json_next_element(&decoder->json, &index);) list[index - 1] = text(decoder);
  return list;
}

static void datatype(struct decoder *decoder, edgeserve_tensor *tensor) {
  const char *name = text(decoder);
  for (size_t index = 0; name && index < datatype_count; index++) {
    if (strcmp(name, datatypes[index].name) == 0) tensor->datatype = (edgeserve_datatype)(index + 1);
  }
}

static void shape(struct json *json, edgeserve_tensor *tensor) {
  tensor->rank = json_count_elements(json, EDGESERVE_RANK_MAXIMUM);
  json_open(json, '[');
  for (size_t index = 0; json_next_element(json, &index);) tensor->shape[index - 1] = json_integer(json);
}

/// The parameter `binary_data_size`; `otherwise` where it is missing.
static int64_t binary_data_size(struct json *json, int64_t otherwise) {
  static const char *keys[] = {"binary_data_size"};
  size_t index = 0, key;
  json_open(json, '{');
  while (json_next_key(json, &index, keys, 1, &key)) {
    if (key == 0) {
      otherwise = json_integer(json);
    } else {
      json_skip(json);
    }
  }
  return otherwise;
}

/// Takes the tensor's elements from the front of those that are left.
static void elements(struct decoder *decoder, edgeserve_tensor *tensor, int64_t size) {
  if (decoder->json.failed) return;
  if (size < 0 || (uint64_t)size > decoder->tensors_count || !has_size(tensor, (size_t)size)) {
    decoder->json.failed = true;
    return;
  }
  void *memory = allocate(decoder, (size_t)size, 1);
  if (!memory) return;
  if (size > 0) memcpy(memory, decoder->tensors, (size_t)size);
  tensor->data = memory;
  tensor->byte_count = (size_t)size;
  decoder->tensors += size;
  decoder->tensors_count -= (size_t)size;
}

static void tensor(struct decoder *decoder, edgeserve_tensor *tensor, bool has_elements) {
  static const char *keys[] = {"name", "datatype", "shape", "parameters"};
  struct json *json = &decoder->json;
  size_t index = 0, key;
  int64_t size = -1;
  json_open(json, '{');
  while (json_next_key(json, &index, keys, 4, &key)) {
    switch (key) {
      case 0: tensor->name = text(decoder); break;
      case 1: datatype(decoder, tensor); break;
      case 2: shape(json, tensor); break;
      case 3: size = binary_data_size(json, size); break;
      default: json_skip(json);
    }
  }
  if (!tensor->name || !tensor->datatype) json->failed = true;
  if (has_elements) elements(decoder, tensor, size);
}

static const edgeserve_tensor *tensors(struct decoder *decoder, size_t *count, bool have_elements) {
  *count = json_count_elements(&decoder->json, EDGESERVE_TENSORS_MAXIMUM);
  edgeserve_tensor *list = allocate(decoder, *count, sizeof *list);
  json_open(&decoder->json, '[');
  for (size_t index = 0; json_next_element(&decoder->json, &index);) {
    tensor(decoder, &list[index - 1], have_elements);
  }
  return list;
}

static struct decoder decoder_of(const uint8_t *body, size_t count, size_t json_length) {
  if (json_length > count) json_length = count;
  struct decoder decoder = {
    .json = {.bytes = body, .count = json_length},
    .tensors = body + json_length,
    .tensors_count = count - json_length,
  };
  return decoder;
}

/// The end of every decoding: `is_whole` is whether nothing that must be there is missing.
static edgeserve_status finish(struct decoder *decoder, bool is_whole) {
  if (decoder->is_full) return EDGESERVE_OUT_OF_MEMORY;
  const bool is_sound = json_at_end(&decoder->json) && decoder->tensors_count == 0 && is_whole;
  return is_sound ? EDGESERVE_OK : EDGESERVE_MALFORMED_ANSWER;
}

/// What a caller is handed, with the memory that it lies in.
struct owned_response {
  edgeserve_response response;
  struct arena arena;
};

edgeserve_status decode_response(const uint8_t *body, size_t count, size_t json_length,
                                 edgeserve_response **response) {
  static const char *keys[] = {"model_name", "model_version", "outputs", "parameters"};
  static const char *parameters[] = {"fallback"};
  struct decoder decoder = decoder_of(body, count, json_length);
  struct json *json = &decoder.json;
  edgeserve_response read = {0};
  size_t index = 0, key;
  json_open(json, '{');
  while (json_next_key(json, &index, keys, 4, &key)) {
    size_t inner = 0;
    switch (key) {
      case 0: read.model = text(&decoder); break;
      case 1: read.version = text(&decoder); break;
      case 2:
        if (read.outputs) json->failed = true;
        if (!json->failed) read.outputs = tensors(&decoder, &read.output_count, true);
        break;
      case 3:
        json_open(json, '{');
        while (json_next_key(json, &inner, parameters, 1, &key)) {
          if (key == 0) {
            read.fallback = text(&decoder);
          } else {
            json_skip(json);
          }
        }
        break;
      default: json_skip(json);
    }
  }
  edgeserve_status status = finish(&decoder, read.model && read.version && read.outputs);
  struct owned_response *owned = status == EDGESERVE_OK ? malloc(sizeof *owned) : NULL;
  if (status == EDGESERVE_OK && !owned) status = EDGESERVE_OUT_OF_MEMORY;
  if (!owned) {
    arena_free(&decoder.arena);
    return status;
  }
  *owned = (struct owned_response){read, decoder.arena};
  *response = &owned->response;
  return EDGESERVE_OK;
}

void edgeserve_response_free(edgeserve_response *response) {
  if (!response) return;
  // The response is the first member of what was allocated.
  struct owned_response *owned = (struct owned_response *)response;
  arena_free(&owned->arena);
  free(owned);
}

struct owned_metadata {
  edgeserve_metadata metadata;
  struct arena arena;
};

edgeserve_status decode_metadata(const uint8_t *body, size_t count, edgeserve_metadata **metadata) {
  static const char *keys[] = {"name", "platform", "versions", "inputs", "outputs", "labels"};
  struct decoder decoder = decoder_of(body, count, count);
  edgeserve_metadata read = {0};
  size_t index = 0, key;
  json_open(&decoder.json, '{');
  while (json_next_key(&decoder.json, &index, keys, 6, &key)) {
    switch (key) {
      case 0: read.model = text(&decoder); break;
      case 1: read.platform = text(&decoder); break;
      case 2: read.versions = texts(&decoder, &read.version_count); break;
      case 3: read.inputs = tensors(&decoder, &read.input_count, false); break;
      case 4: read.outputs = tensors(&decoder, &read.output_count, false); break;
      case 5: read.labels = texts(&decoder, &read.label_count); break;
      default: json_skip(&decoder.json);
    }
  }
  edgeserve_status status =
    finish(&decoder, read.model && read.platform && read.versions && read.inputs && read.outputs);
  struct owned_metadata *owned = status == EDGESERVE_OK ? malloc(sizeof *owned) : NULL;
  if (status == EDGESERVE_OK && !owned) status = EDGESERVE_OUT_OF_MEMORY;
  if (!owned) {
    arena_free(&decoder.arena);
    return status;
  }
  *owned = (struct owned_metadata){read, decoder.arena};
  *metadata = &owned->metadata;
  return EDGESERVE_OK;
}

void edgeserve_metadata_free(edgeserve_metadata *metadata) {
  if (!metadata) return;
  struct owned_metadata *owned = (struct owned_metadata *)metadata;
  arena_free(&owned->arena);
  free(owned);
}

struct owned_list {
  edgeserve_model_list list;
  struct arena arena;
};

static const edgeserve_model *models(struct decoder *decoder, size_t *count) {
  static const char *keys[] = {"name", "version"};
  *count = json_count_elements(&decoder->json, EDGESERVE_ENTRIES_MAXIMUM);
  edgeserve_model *list = allocate(decoder, *count, sizeof *list);
  json_open(&decoder->json, '[');
  for (size_t index = 0; json_next_element(&decoder->json, &index);) {
    size_t inner = 0, key;
    json_open(&decoder->json, '{');
    while (json_next_key(&decoder->json, &inner, keys, 2, &key)) {
      switch (key) {
        case 0: list[index - 1].name = text(decoder); break;
        case 1: list[index - 1].version = text(decoder); break;
        default: json_skip(&decoder->json);
      }
    }
    if (!list[index - 1].name || !list[index - 1].version) decoder->json.failed = true;
  }
  return list;
}

edgeserve_status decode_model_list(const uint8_t *body, size_t count, edgeserve_model_list **list) {
  static const char *keys[] = {"model_stats"};
  struct decoder decoder = decoder_of(body, count, count);
  edgeserve_model_list read = {0};
  size_t index = 0, key;
  json_open(&decoder.json, '{');
  while (json_next_key(&decoder.json, &index, keys, 1, &key)) {
    if (key == 0) {
      read.models = models(&decoder, &read.count);
    } else {
      json_skip(&decoder.json);
    }
  }
  edgeserve_status status = finish(&decoder, read.models != NULL);
  struct owned_list *owned = status == EDGESERVE_OK ? malloc(sizeof *owned) : NULL;
  if (status == EDGESERVE_OK && !owned) status = EDGESERVE_OUT_OF_MEMORY;
  if (!owned) {
    arena_free(&decoder.arena);
    return status;
  }
  *owned = (struct owned_list){read, decoder.arena};
  *list = &owned->list;
  return EDGESERVE_OK;
}

void edgeserve_model_list_free(edgeserve_model_list *list) {
  if (!list) return;
  struct owned_list *owned = (struct owned_list *)list;
  arena_free(&owned->arena);
  free(owned);
}

void decode_error(const uint8_t *body, size_t count, char *message, size_t capacity) {
  static const char *keys[] = {"error"};
  struct decoder decoder = decoder_of(body, count, count);
  size_t index = 0, key;
  message[0] = 0;
  if (json_open(&decoder.json, '{') && json_next_key(&decoder.json, &index, keys, 1, &key) && key == 0) {
    const char *words = text(&decoder);
    size_t length = words ? strlen(words) : 0;
    if (length >= capacity) {
      // Not in the middle of a character.
      length = capacity - 1;
      while (length > 0 && ((uint8_t)words[length] & 0xC0) == 0x80) length--;
    }
    if (length > 0) memcpy(message, words, length);
    message[length] = 0;
  }
  arena_free(&decoder.arena);
}

size_t find_head_end(const uint8_t *bytes, size_t count, size_t *scanned) {
  for (; *scanned + 4 <= count; (*scanned)++) {
    if (memcmp(bytes + *scanned, "\r\n\r\n", 4) == 0) return *scanned + 4;
  }
  return 0;
}

/// A field's value as a number of at most eighteen digits; false for anything else.
static bool number(const char *value, size_t count, uint64_t *result) {
  if (count == 0 || count > 18) return false;
  *result = 0;
  for (size_t index = 0; index < count; index++) {
    if (value[index] < '0' || value[index] > '9') return false;
    *result = *result * 10 + (uint64_t)(value[index] - '0');
  }
  return *result <= SIZE_MAX;
}

static bool is_name(const char *line, size_t count, const char *name) {
  return count == strlen(name) && strncasecmp(line, name, count) == 0;
}

/// Reads one field; false when it says what a body cannot be read by.
static bool decode_field(const char *line, size_t count, struct answer_head *head) {
  const char *colon = memchr(line, ':', count);
  if (!colon) return false;
  const size_t name = (size_t)(colon - line);
  const char *value = colon + 1;
  size_t length = count - name - 1;
  while (length > 0 && (*value == ' ' || *value == '\t')) value++, length--;
  while (length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t')) length--;
  uint64_t read = 0;
  if (is_name(line, name, "content-length")) {
    if (!number(value, length, &read) || head->content_length != SIZE_MAX) return false;
    head->content_length = (size_t)read;
  } else if (is_name(line, name, "inference-header-content-length")) {
    if (!number(value, length, &read)) return false;
    head->json_length = (size_t)read;
  } else if (is_name(line, name, "retry-after")) {
    // A date in its place is no reason to lose the answer.
    if (number(value, length, &read)) head->retry_after_seconds = read > UINT32_MAX ? UINT32_MAX : (uint32_t)read;
  } else if (is_name(line, name, "connection")) {
    if (length == 5 && strncasecmp(value, "close", 5) == 0) head->keeps_alive = false;
  } else if (is_name(line, name, "transfer-encoding")) {
    return false;
  }
  return true;
}

bool decode_head(const uint8_t *bytes, size_t count, struct answer_head *head) {
  *head = (struct answer_head){.content_length = SIZE_MAX, .json_length = SIZE_MAX, .keeps_alive = true};
  const char *text = (const char *)bytes;
  if (count < 16 || (memcmp(text, "HTTP/1.1 ", 9) != 0 && memcmp(text, "HTTP/1.0 ", 9) != 0)) return false;
  if (text[8] != ' ' || (text[12] != ' ' && text[12] != '\r')) return false;
  uint64_t status;
  if (!number(text + 9, 3, &status) || status < 100) return false;
  head->status = (int)status;
  if (text[7] == '0') head->keeps_alive = false;
  size_t start = 0;
  for (bool is_first = true;; is_first = false) {
    const char *end = memchr(text + start, '\r', count - start);
    if (!end || (size_t)(end - text) + 1 >= count || end[1] != '\n') return false;
    const size_t length = (size_t)(end - text) - start;
    if (length == 0) break;
    if (!is_first && !decode_field(text + start, length, head)) return false;
    start += length + 2;
    if (start >= count) return false;
  }
  if (head->status < 200) {
    head->content_length = 0;
  } else if (head->content_length == SIZE_MAX) {
    return false;
  }
  return head->json_length == SIZE_MAX || head->json_length <= head->content_length;
}

const edgeserve_tensor *edgeserve_output(const edgeserve_response *response, const char *name) {
  for (size_t index = 0; response && name && index < response->output_count; index++) {
    if (strcmp(response->outputs[index].name, name) == 0) return &response->outputs[index];
  }
  return NULL;
}

bool edgeserve_next_string(const edgeserve_tensor *tensor, size_t *offset, const char **bytes, size_t *count) {
  const uint8_t *data = tensor->data;
  if (tensor->datatype != EDGESERVE_BYTES || *offset > tensor->byte_count || tensor->byte_count - *offset < 4) {
    return false;
  }
  const uint8_t *length = data + *offset;
  const size_t size = length[0] | (size_t)length[1] << 8 | (size_t)length[2] << 16 | (size_t)length[3] << 24;
  if (size > tensor->byte_count - *offset - 4) return false;
  *bytes = (const char *)length + 4;
  *count = size;
  *offset += 4 + size;
  return true;
}

// Decodes mutations of good answers, each in a block of its exact size, so that a sanitizer sees any byte too far.
//
//   mutate_answers COUNT SEED
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decoding.h"

static uint64_t state;

// SplitMix64.
static uint64_t next(void) {
  uint64_t z = state += 0x9E3779B97F4A7C15;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
  z = (z ^ z >> 27) * 0x94D049BB133111EB;
  return z ^ z >> 31;
}

static const char infer[] =
  "{\"model_name\":\"d\\u00e9j\\u00e0\",\"model_version\":\"12\",\"id\":\"x\",\"parameters\":{\"fallback\":\"small\","
  "\"n\":[1,{\"a\":null}]},\"outputs\":[{\"name\":\"a\",\"datatype\":\"FP32\",\"shape\":[2,1],\"parameters\":"
  "{\"binary_data_size\":8}},{\"name\":\"b\",\"datatype\":\"BYTES\",\"shape\":[1],\"parameters\":{\"binary_data_size\":7}}"
  ",{\"name\":\"c\",\"datatype\":\"INT8\",\"shape\":[0],\"parameters\":{\"binary_data_size\":0}}]}";
static const char tensors[] = "\0\0\x80\x3f\0\0\0\x40\3\0\0\0abc";
static const char metadata[] =
  "{\"name\":\"d\",\"versions\":[\"1\",\"2\"],\"platform\":\"p\",\"inputs\":[{\"name\":\"i\",\"datatype\":\"FP16\",\"shape\""
  ":[-1,3]}],\"outputs\":[],\"labels\":[\"a\\ud83d\\ude00\",\"b\"]}";
static const char list[] =
  "{\"model_stats\":[{\"name\":\"d\",\"version\":\"2\",\"inference_stats\":{\"fail\":{\"count\":0,\"ns\":1.5e3}}}]}";
static const char head[] =
  "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\ncontent-length: 318\r\nInference-Header-Content-Length: 303\r\n"
  "Retry-After: 7\r\nConnection: close\r\n\r\n";
static const char error[] = "{\"error\":\"no \\\"such\\\" model \\u20ac\"}";

static const struct {
  const char *bytes;
  size_t count;
} answers[] = {{metadata, sizeof metadata - 1}, {list, sizeof list - 1}, {head, sizeof head - 1}, {error, sizeof error - 1}};

// What decodes reads all of it, so that a sanitizer sees what lies outside.
static uint64_t sum;
static void read_all(const void *bytes, size_t count) {
  for (size_t index = 0; index < count; index++) sum += ((const uint8_t *)bytes)[index];
}
static void read_text(const char *text) {
  if (text) read_all(text, strlen(text));
}
static void read_tensors(const edgeserve_tensor *read, size_t count) {
  for (size_t index = 0; index < count; index++) {
    const char *bytes;
    size_t offset = 0, length;
    read_text(read[index].name);
    read_all(read[index].data, read[index].data ? read[index].byte_count : 0);
    while (read[index].data && edgeserve_next_string(&read[index], &offset, &bytes, &length)) read_all(bytes, length);
    if (read[index].rank > EDGESERVE_RANK_MAXIMUM) abort();
  }
}

static bool decode(int kind, const uint8_t *bytes, size_t count, size_t json_length) {
  edgeserve_response *response = NULL;
  edgeserve_metadata *described = NULL;
  edgeserve_model_list *models = NULL;
  struct answer_head read;
  char message[16];
  size_t scanned = 0, end;
  switch (kind) {
    case 0:
      if (decode_metadata(bytes, count, &described) != EDGESERVE_OK) return false;
      read_tensors(described->inputs, described->input_count);
      read_tensors(described->outputs, described->output_count);
      for (size_t index = 0; index < described->label_count; index++) read_text(described->labels[index]);
      for (size_t index = 0; index < described->version_count; index++) read_text(described->versions[index]);
      edgeserve_metadata_free(described);
      return true;
    case 1:
      if (decode_model_list(bytes, count, &models) != EDGESERVE_OK) return false;
      for (size_t index = 0; index < models->count; index++) read_text(models->models[index].version);
      edgeserve_model_list_free(models);
      return true;
    case 2:
      end = find_head_end(bytes, count, &scanned);
      return end > 0 && decode_head(bytes, end, &read);
    case 3:
      decode_error(bytes, count, message, sizeof message);
      read_text(message);
      return message[0] != 0;
    default:
      if (decode_response(bytes, count, json_length, &response) != EDGESERVE_OK) return false;
      read_text(response->fallback);
      read_tensors(response->outputs, response->output_count);
      edgeserve_response_free(response);
      return true;
  }
}

// Decodes a copy that ends where the bytes end, after `changes` changes.
static bool decode_changed(int kind, const char *bytes, size_t count, size_t json_length, int changes) {
  static const char telling[] = "{}[]\",:\\u0-19e \r\n";
  size_t length = count;
  uint8_t *copy = malloc(count + 1);
  memcpy(copy, bytes, count);
  for (; changes > 0 && length > 0; changes--) {
    const size_t place = next() % length;
    switch (next() % 4) {
      case 0: copy[place] = (uint8_t)next(); break;
      case 1: copy[place] = (uint8_t)telling[next() % (sizeof telling - 1)]; break;
      case 2: length = place; break;
      default:
        memmove(copy + place, copy + place + 1, length - place - 1);
        length--;
    }
  }
  uint8_t *exact = malloc(length);
  memcpy(exact, copy, length);
  free(copy);
  const bool is_decoded = decode(kind, exact, length, json_length);
  free(exact);
  return is_decoded;
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  const long count = atol(argv[1]);
  state = strtoull(argv[2], NULL, 10);
  char whole[sizeof infer + sizeof tensors];
  const size_t json_length = sizeof infer - 1, length = json_length + sizeof tensors - 1;
  memcpy(whole, infer, json_length);
  memcpy(whole + json_length, tensors, sizeof tensors - 1);
  long decoded = 0;
  if (!decode_changed(4, whole, length, json_length, 0)) return 3;
  for (int kind = 0; kind < 4; kind++) {
    if (!decode_changed(kind, answers[kind].bytes, answers[kind].count, SIZE_MAX, 0)) return 4 + kind;
  }
  for (long round = 0; round < count; round++) {
    const int kind = (int)(next() % 6), changes = 1 + (int)(next() % 4);
    if (kind < 4) {
      decoded += decode_changed(kind, answers[kind].bytes, answers[kind].count, SIZE_MAX, changes);
    } else {
      const size_t cut = next() % 8 == 0 ? next() % (length + 8) : json_length;
      decoded += decode_changed(4, whole, length, cut, changes);
    }
  }
  printf("%ld mutations, %ld decoded (%" PRIu64 ")\n", count, decoded, sum);
  return 0;
}

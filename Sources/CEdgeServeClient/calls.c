#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connection.h"

/// Text that grows; once there is no memory it stays as it is, and says so.
struct text {
  char *bytes;
  size_t count;
  size_t capacity;
  bool is_full;
};

static void put(struct text *text, const char *bytes, size_t count) {
  if (text->is_full) return;
  if (count > text->capacity - text->count) {
    const size_t capacity = (text->count + count) * 2 + 256;
    char *grown = realloc(text->bytes, capacity);
    if (!grown) {
      text->is_full = true;
      return;
    }
    text->bytes = grown;
    text->capacity = capacity;
  }
  memcpy(text->bytes + text->count, bytes, count);
  text->count += count;
}

__attribute__((format(printf, 2, 3))) static void put_format(struct text *text, const char *format, ...) {
  // Every format is of words and numbers of this file: it fits.
  char line[160];
  va_list arguments;
  va_start(arguments, format);
  const int count = vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  put(text, line, (size_t)count);
}

static void put_words(struct text *text, const char *words) { put(text, words, strlen(words)); }

/// A string of JSON, with its quotes.
static void put_string(struct text *text, const char *words) {
  put_words(text, "\"");
  for (; *words; words++) {
    const unsigned char byte = (unsigned char)*words;
    if (byte < 0x20) {
      put_format(text, "\\u%04x", byte);
      continue;
    }
    if (byte == '"' || byte == '\\') put_words(text, "\\");
    put(text, words, 1);
  }
  put_words(text, "\"");
}

/// One segment of a path.
static void put_segment(struct text *text, const char *words) {
  for (; *words; words++) {
    const unsigned char byte = (unsigned char)*words;
    const bool is_letter = (byte | 32) >= 'a' && (byte | 32) <= 'z';
    if (is_letter || (byte >= '0' && byte <= '9') || byte == '-' || byte == '_' || byte == '.' || byte == '~') {
      put(text, words, 1);
    } else {
      put_format(text, "%%%02X", byte);
    }
  }
}

static void put_model(struct text *text, const char *method, const char *model, const char *version,
                      const char *call) {
  put_format(text, "%s /v2/models/", method);
  put_segment(text, model);
  if (version) {
    put_words(text, "/versions/");
    put_segment(text, version);
  }
  put_format(text, "%s HTTP/1.1\r\nHost: localhost\r\n", call);
}

static bool is_name(const char *name) {
  const size_t length = name ? strnlen(name, EDGESERVE_NAME_BYTES_MAXIMUM + 1) : 0;
  return length > 0 && length <= EDGESERVE_NAME_BYTES_MAXIMUM;
}

static bool is_printable(const char *key) {
  for (; *key; key++) {
    if (*key < 0x20 || *key > 0x7E) return false;
  }
  return true;
}

/// Refuses names that cannot be sent.
static edgeserve_status check_model(edgeserve_client *client, const char *model, const char *version) {
  if (!is_name(model) || (version && !is_name(version))) {
    return fail_with(client, EDGESERVE_INVALID_ARGUMENT, "a model and its version need names of 1 to %d bytes",
                     EDGESERVE_NAME_BYTES_MAXIMUM);
  }
  return EDGESERVE_OK;
}

static edgeserve_status check_input(edgeserve_client *client, const edgeserve_tensor *input, size_t index) {
  if (!is_name(input->name)) {
    return fail_with(client, EDGESERVE_INVALID_ARGUMENT, "input %zu needs a name of 1 to %d bytes", index,
                     EDGESERVE_NAME_BYTES_MAXIMUM);
  }
  if (!edgeserve_datatype_name(input->datatype)) {
    return fail_with(client, EDGESERVE_INVALID_ARGUMENT, "input %zu has the unknown datatype %d", index,
                     (int)input->datatype);
  }
  if (input->rank > EDGESERVE_RANK_MAXIMUM) {
    return fail_with(client, EDGESERVE_INVALID_ARGUMENT, "input %zu has %zu extents, %d at most are taken", index,
                     input->rank, EDGESERVE_RANK_MAXIMUM);
  }
  for (size_t axis = 0; axis < input->rank; axis++) {
    if (input->shape[axis] < 0) {
      return fail_with(client, EDGESERVE_INVALID_ARGUMENT, "input %zu has the extent %lld", index,
                       (long long)input->shape[axis]);
    }
  }
  if (!has_size(input, input->byte_count) || (!input->data && input->byte_count > 0)) {
    return fail_with(client, EDGESERVE_INVALID_ARGUMENT, "input %zu has %zu bytes, which its shape and type do not",
                     index, input->data ? input->byte_count : 0);
  }
  return EDGESERVE_OK;
}

static edgeserve_status check_request(edgeserve_client *client, const edgeserve_request *request) {
  edgeserve_status status = check_model(client, request->model, request->version);
  if (status != EDGESERVE_OK) return status;
  if (request->input_count < 1 || request->input_count > EDGESERVE_TENSORS_MAXIMUM ||
      request->output_count > EDGESERVE_TENSORS_MAXIMUM || !request->inputs ||
      (request->output_count > 0 && !request->outputs)) {
    return fail_with(client, EDGESERVE_INVALID_ARGUMENT, "%zu inputs and %zu outputs; 1 to %d and 0 to %d are taken",
                     request->input_count, request->output_count, EDGESERVE_TENSORS_MAXIMUM,
                     EDGESERVE_TENSORS_MAXIMUM);
  }
  if (request->timeout_milliseconds > EDGESERVE_TIMEOUT_MILLISECONDS_MAXIMUM || request->priority > 3 ||
      (request->key && (!is_name(request->key) || !is_printable(request->key)))) {
    return fail_with(client, EDGESERVE_INVALID_ARGUMENT,
                     "the timeout is at most %d ms, the priority at most 3, the key printable ASCII",
                     EDGESERVE_TIMEOUT_MILLISECONDS_MAXIMUM);
  }
  size_t bytes = 0;
  for (size_t index = 0; index < request->input_count; index++) {
    status = check_input(client, &request->inputs[index], index);
    if (status != EDGESERVE_OK) return status;
    if (__builtin_add_overflow(bytes, request->inputs[index].byte_count, &bytes)) bytes = SIZE_MAX;
  }
  for (size_t index = 0; index < request->output_count; index++) {
    if (!is_name(request->outputs[index])) {
      return fail_with(client, EDGESERVE_INVALID_ARGUMENT, "output %zu needs a name of 1 to %d bytes", index,
                       EDGESERVE_NAME_BYTES_MAXIMUM);
    }
  }
  if (bytes > client->options.body_bytes_maximum) {
    return fail_with(client, EDGESERVE_TOO_LARGE, "the inputs have %zu bytes, %zu at most are sent", bytes,
                     client->options.body_bytes_maximum);
  }
  return EDGESERVE_OK;
}

/// The JSON before the tensors.
static void put_inference(struct text *text, const edgeserve_request *request) {
  put_words(text, "{\"parameters\":{\"binary_data_output\":true},\"inputs\":[");
  for (size_t index = 0; index < request->input_count; index++) {
    const edgeserve_tensor *input = &request->inputs[index];
    put_words(text, index > 0 ? ",{\"name\":" : "{\"name\":");
    put_string(text, input->name);
    put_format(text, ",\"datatype\":\"%s\",\"shape\":[", edgeserve_datatype_name(input->datatype));
    for (size_t axis = 0; axis < input->rank; axis++) {
      put_format(text, axis > 0 ? ",%lld" : "%lld", (long long)input->shape[axis]);
    }
    put_format(text, "],\"parameters\":{\"binary_data_size\":%zu}}", input->byte_count);
  }
  put_words(text, "]");
  for (size_t index = 0; index < request->output_count; index++) {
    put_words(text, index > 0 ? ",{\"name\":" : ",\"outputs\":[{\"name\":");
    put_string(text, request->outputs[index]);
    put_words(text, "}");
  }
  put_words(text, request->output_count > 0 ? "]}" : "}");
}

/// The status that the agent's refusal stands for.
static edgeserve_status status_of(int http_status) {
  switch (http_status) {
    case 400: case 411: case 422: case 431: return EDGESERVE_BAD_REQUEST;
    case 401: case 403: return EDGESERVE_FORBIDDEN;
    case 404: return EDGESERVE_NOT_FOUND;
    case 408: case 504: return EDGESERVE_DEADLINE_EXCEEDED;
    case 413: return EDGESERVE_TOO_LARGE;
    case 429: return EDGESERVE_TOO_MANY_REQUESTS;
    case 503: return EDGESERVE_UNAVAILABLE;
    default: return http_status >= 500 ? EDGESERVE_AGENT_FAILED : EDGESERVE_MALFORMED_ANSWER;
  }
}

static edgeserve_status refuse(edgeserve_client *client, const struct answer *answer) {
  edgeserve_error *error = &client->error;
  error->status = status_of(answer->head.status);
  error->http_status = answer->head.status;
  error->retry_after_seconds = answer->head.retry_after_seconds;
  decode_error(answer->body, answer->head.content_length, error->message, sizeof error->message);
  if (error->message[0] == 0) {
    snprintf(error->message, sizeof error->message, "the agent answered with status %d", answer->head.status);
  }
  return error->status;
}

/// What decoding says, in words.
static edgeserve_status decoded(edgeserve_client *client, edgeserve_status status) {
  if (status == EDGESERVE_OK) return status;
  return fail_with(client, status, status == EDGESERVE_OUT_OF_MEMORY
                   ? "no memory for the answer" : "the answer is none of the Open Inference Protocol's");
}

static edgeserve_status predict(edgeserve_client *client, const edgeserve_request *request,
                                edgeserve_response **response) {
  edgeserve_status status = check_request(client, request);
  if (status != EDGESERVE_OK) return status;
  struct text json = {0}, head = {0};
  put_inference(&json, request);
  size_t length = json.count;
  for (size_t index = 0; index < request->input_count; index++) length += request->inputs[index].byte_count;
  put_model(&head, "POST", request->model, request->version, "/infer");
  put_format(&head, "Inference-Header-Content-Length: %zu\r\nContent-Length: %zu\r\n", json.count, length);
  put_format(&head, "x-request-timeout-ms: %u\r\n", milliseconds_left(client) + (milliseconds_left(client) == 0));
  if (request->priority > 0) put_format(&head, "x-request-priority: %u\r\n", request->priority);
  if (request->key) {
    put_words(&head, "x-request-key: ");
    put_words(&head, request->key);
    put_words(&head, "\r\n");
  }
  put_words(&head, "\r\n");
  put(&head, json.bytes, json.count);
  free(json.bytes);
  struct iovec parts[EDGESERVE_TENSORS_MAXIMUM + 1] = {{head.bytes, head.count}};
  for (size_t index = 0; index < request->input_count; index++) {
    parts[index + 1] = (struct iovec){(void *)request->inputs[index].data, request->inputs[index].byte_count};
  }
  struct answer answer;
  if (json.is_full || head.is_full) {
    status = fail_with(client, EDGESERVE_OUT_OF_MEMORY, "no memory for the request");
  } else {
    status = exchange(client, parts, request->input_count + 1, &answer);
  }
  free(head.bytes);
  if (status != EDGESERVE_OK) return status;
  if (answer.head.status != 200) return refuse(client, &answer);
  return decoded(
    client, decode_response(answer.body, answer.head.content_length, answer.head.json_length, response));
}

edgeserve_status edgeserve_predict(edgeserve_client *client, const edgeserve_request *request,
                                   edgeserve_response **response) {
  if (!client || !request || !response) return EDGESERVE_INVALID_ARGUMENT;
  *response = NULL;
  const edgeserve_status status = begin_call(client, request->timeout_milliseconds);
  return status == EDGESERVE_OK ? end_call(client, predict(client, request, response)) : status;
}

/// A request without a body; `head` is freed.
static edgeserve_status get(edgeserve_client *client, struct text *head, struct answer *answer) {
  edgeserve_status status;
  put_words(head, "\r\n");
  if (head->is_full) {
    status = fail_with(client, EDGESERVE_OUT_OF_MEMORY, "no memory for the request");
  } else {
    const struct iovec part = {head->bytes, head->count};
    status = exchange(client, &part, 1, answer);
  }
  free(head->bytes);
  return status;
}

/// 200 is true, 503 false, and anything else a refusal.
static edgeserve_status readiness(edgeserve_client *client, struct text *head, bool *is_ready) {
  struct answer answer;
  const edgeserve_status status = get(client, head, &answer);
  if (status != EDGESERVE_OK) return status;
  if (answer.head.status != 200 && answer.head.status != 503) return refuse(client, &answer);
  *is_ready = answer.head.status == 200;
  return EDGESERVE_OK;
}

edgeserve_status edgeserve_server_ready(edgeserve_client *client, bool *is_ready) {
  if (!client || !is_ready) return EDGESERVE_INVALID_ARGUMENT;
  *is_ready = false;
  const edgeserve_status status = begin_call(client, 0);
  if (status != EDGESERVE_OK) return status;
  struct text head = {0};
  put_words(&head, "GET /v2/health/ready HTTP/1.1\r\nHost: localhost\r\n");
  return end_call(client, readiness(client, &head, is_ready));
}

edgeserve_status edgeserve_model_ready(edgeserve_client *client, const char *model, const char *version,
                                       bool *is_ready) {
  if (!client || !is_ready) return EDGESERVE_INVALID_ARGUMENT;
  *is_ready = false;
  edgeserve_status status = begin_call(client, 0);
  if (status != EDGESERVE_OK) return status;
  status = check_model(client, model, version);
  if (status != EDGESERVE_OK) return end_call(client, status);
  struct text head = {0};
  put_model(&head, "GET", model, version, "/ready");
  return end_call(client, readiness(client, &head, is_ready));
}

edgeserve_status edgeserve_model_metadata(edgeserve_client *client, const char *model, const char *version,
                                          edgeserve_metadata **metadata) {
  if (!client || !metadata) return EDGESERVE_INVALID_ARGUMENT;
  *metadata = NULL;
  edgeserve_status status = begin_call(client, 0);
  if (status != EDGESERVE_OK) return status;
  status = check_model(client, model, version);
  if (status != EDGESERVE_OK) return end_call(client, status);
  struct text head = {0};
  struct answer answer;
  put_model(&head, "GET", model, version, "");
  status = get(client, &head, &answer);
  if (status == EDGESERVE_OK && answer.head.status != 200) status = refuse(client, &answer);
  if (status != EDGESERVE_OK) return end_call(client, status);
  return end_call(client, decoded(client, decode_metadata(answer.body, answer.head.content_length, metadata)));
}

edgeserve_status edgeserve_list_models(edgeserve_client *client, edgeserve_model_list **list) {
  if (!client || !list) return EDGESERVE_INVALID_ARGUMENT;
  *list = NULL;
  edgeserve_status status = begin_call(client, 0);
  if (status != EDGESERVE_OK) return status;
  struct text head = {0};
  struct answer answer;
  put_words(&head, "GET /v2/models/stats HTTP/1.1\r\nHost: localhost\r\n");
  status = get(client, &head, &answer);
  if (status == EDGESERVE_OK && answer.head.status != 200) status = refuse(client, &answer);
  if (status != EDGESERVE_OK) return end_call(client, status);
  return end_call(client, decoded(client, decode_model_list(answer.body, answer.head.content_length, list)));
}

const char *edgeserve_status_name(edgeserve_status status) {
  switch (status) {
    case EDGESERVE_OK: return "ok";
    case EDGESERVE_INVALID_ARGUMENT: return "invalid argument";
    case EDGESERVE_BUSY: return "busy";
    case EDGESERVE_OUT_OF_MEMORY: return "out of memory";
    case EDGESERVE_UNREACHABLE: return "unreachable";
    case EDGESERVE_CONNECTION_LOST: return "connection lost";
    case EDGESERVE_DEADLINE_EXCEEDED: return "deadline exceeded";
    case EDGESERVE_INTERRUPTED: return "interrupted";
    case EDGESERVE_BAD_REQUEST: return "bad request";
    case EDGESERVE_FORBIDDEN: return "forbidden";
    case EDGESERVE_NOT_FOUND: return "not found";
    case EDGESERVE_TOO_LARGE: return "too large";
    case EDGESERVE_TOO_MANY_REQUESTS: return "too many requests";
    case EDGESERVE_UNAVAILABLE: return "unavailable";
    case EDGESERVE_AGENT_FAILED: return "agent failed";
    case EDGESERVE_MALFORMED_ANSWER: return "malformed answer";
  }
  return "unknown status";
}

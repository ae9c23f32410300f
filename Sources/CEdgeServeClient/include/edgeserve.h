/// Asks an edgeserve agent on this device for predictions, over its Unix socket.
///
/// Plain C11 of libc alone, without global state, signals or threads of its own. Tensors travel as bytes by the Open
/// Inference Protocol V2: little-endian, row-major, without padding.
///
/// Threads: a client is used by one thread at a time; a second one is told EDGESERVE_BUSY. Different clients know
/// nothing of each other. edgeserve_interrupt may be called from any thread and from a signal handler, as long as the
/// client is not closed. What calls return belongs to the caller, never changes, and outlives the client.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
  /// Bytes of a socket's path, its final zero not counted.
  EDGESERVE_PATH_BYTES_MAXIMUM = 107,
  /// Bytes of the name of a model, version, tensor or key.
  EDGESERVE_NAME_BYTES_MAXIMUM = 512,
  EDGESERVE_RANK_MAXIMUM = 8,
  /// Tensors of one request, and of one answer.
  EDGESERVE_TENSORS_MAXIMUM = 64,
  /// Entries of any other list in an answer: models, versions, labels.
  EDGESERVE_ENTRIES_MAXIMUM = 65536,
  /// Bytes of an answer's head, and levels of lists and objects in its JSON.
  EDGESERVE_HEAD_BYTES_MAXIMUM = 16384,
  EDGESERVE_DEPTH_MAXIMUM = 32,
  /// Bytes of the words about a failure, with their final zero.
  EDGESERVE_MESSAGE_BYTES = 512,
  /// The longest time that may be asked for: a day.
  EDGESERVE_TIMEOUT_MILLISECONDS_MAXIMUM = 86400000,
};

/// How a call ended.
typedef enum edgeserve_status {
  EDGESERVE_OK = 0,
  /// The call itself is wrong; nothing was sent.
  EDGESERVE_INVALID_ARGUMENT = 1,
  /// Another thread is in a call of this client.
  EDGESERVE_BUSY = 2,
  EDGESERVE_OUT_OF_MEMORY = 3,
  /// No agent answers at the socket, or this process may not connect to it.
  EDGESERVE_UNREACHABLE = 4,
  /// The connection ended before the answer was whole.
  EDGESERVE_CONNECTION_LOST = 5,
  /// The time ran out, here or while the request waited in the agent.
  EDGESERVE_DEADLINE_EXCEEDED = 6,
  /// edgeserve_interrupt was called.
  EDGESERVE_INTERRUPTED = 7,
  /// The agent refuses the request: a name, type, shape or number that the model does not take.
  EDGESERVE_BAD_REQUEST = 8,
  /// The agent's settings do not let this process ask.
  EDGESERVE_FORBIDDEN = 9,
  EDGESERVE_NOT_FOUND = 10,
  /// Request or answer is larger than one of the sides takes.
  EDGESERVE_TOO_LARGE = 11,
  /// This process asks more often than it may; see retry_after_seconds.
  EDGESERVE_TOO_MANY_REQUESTS = 12,
  /// The model does not serve now, or too many requests wait; see retry_after_seconds.
  EDGESERVE_UNAVAILABLE = 13,
  /// The agent failed.
  EDGESERVE_AGENT_FAILED = 14,
  /// The answer is none of the protocol's.
  EDGESERVE_MALFORMED_ANSWER = 15,
} edgeserve_status;

/// The type of a tensor's elements.
typedef enum edgeserve_datatype {
  EDGESERVE_BOOL = 1,
  EDGESERVE_UINT8 = 2,
  EDGESERVE_UINT16 = 3,
  EDGESERVE_UINT32 = 4,
  EDGESERVE_UINT64 = 5,
  EDGESERVE_INT8 = 6,
  EDGESERVE_INT16 = 7,
  EDGESERVE_INT32 = 8,
  EDGESERVE_INT64 = 9,
  EDGESERVE_FP16 = 10,
  EDGESERVE_FP32 = 11,
  EDGESERVE_FP64 = 12,
  /// Strings, each behind its length as four bytes; read with edgeserve_next_string.
  EDGESERVE_BYTES = 13,
} edgeserve_datatype;

/// A named tensor: of a request, where the memory stays the caller's, or of an answer.
typedef struct edgeserve_tensor {
  const char *name;
  edgeserve_datatype datatype;
  /// Extents in use, 0 for a scalar.
  size_t rank;
  /// In what metadata say of a model, −1 stands for any extent.
  int64_t shape[EDGESERVE_RANK_MAXIMUM];
  /// The elements; in an answer aligned to 16 bytes. Null in metadata.
  const void *data;
  /// The product of the extents and an element's size; for EDGESERVE_BYTES the bytes of all strings and lengths.
  size_t byte_count;
} edgeserve_tensor;

/// How a client behaves; set all to zero for what is usual.
typedef struct edgeserve_options {
  /// How long a call may take that does not say so itself; 0 for 30,000.
  uint32_t timeout_milliseconds;
  /// How long a call goes on trying to connect while there is no agent, as when it restarts; 0 not to.
  uint32_t reconnect_milliseconds;
  /// Bytes of a request's tensors, and of an answer; 0 for 64 MiB.
  size_t body_bytes_maximum;
} edgeserve_options;

/// One prediction that is asked for.
typedef struct edgeserve_request {
  const char *model;
  /// A number or a label; null for the version that serves.
  const char *version;
  const edgeserve_tensor *inputs;
  size_t input_count;
  /// Names of the outputs that are wanted; none for all.
  const char *const *outputs;
  size_t output_count;
  /// 0 for the client's. Also tells the agent how long the request may wait.
  uint32_t timeout_milliseconds;
  /// 1 for the most urgent to 3; 0 for the usual.
  uint32_t priority;
  /// Keeps requests of one key at one version while another is tried; null for none. Printable ASCII.
  const char *key;
} edgeserve_request;

/// The answer to a prediction.
typedef struct edgeserve_response {
  const char *model;
  /// The version that answered, a number.
  const char *version;
  /// Who answered in place of the model; null when it was the model itself.
  const char *fallback;
  const edgeserve_tensor *outputs;
  size_t output_count;
} edgeserve_response;

/// What a model says about itself.
typedef struct edgeserve_metadata {
  const char *model;
  const char *platform;
  /// Every version that serves.
  const char *const *versions;
  size_t version_count;
  const edgeserve_tensor *inputs;
  size_t input_count;
  const edgeserve_tensor *outputs;
  size_t output_count;
  /// The names of the classes; none when the model has none.
  const char *const *labels;
  size_t label_count;
} edgeserve_metadata;

/// A version that serves.
typedef struct edgeserve_model {
  const char *name;
  const char *version;
} edgeserve_model;

/// Every version that serves, of all models.
typedef struct edgeserve_model_list {
  const edgeserve_model *models;
  size_t count;
} edgeserve_model_list;

/// Why the last call of a client failed.
typedef struct edgeserve_error {
  edgeserve_status status;
  /// The status of the agent's answer; 0 when there was none.
  int http_status;
  /// The system's error number; 0 when it was no system call that failed.
  int system_error;
  /// After how many seconds the agent says to try again; 0 when it does not.
  uint32_t retry_after_seconds;
  /// Words for people, in UTF-8.
  char message[EDGESERVE_MESSAGE_BYTES];
} edgeserve_error;

/// A client of one agent, with one connection that it opens when it is needed and opens anew when it was closed.
typedef struct edgeserve_client edgeserve_client;

/// Makes a client of the agent at `socket_path`; connects with the first call.
///
/// `options` may be null. Returns EDGESERVE_INVALID_ARGUMENT for a path that a socket cannot have or an option out of
/// its range, EDGESERVE_OUT_OF_MEMORY when there is no memory or no descriptor left.
edgeserve_status edgeserve_open(const char *socket_path, const edgeserve_options *options, edgeserve_client **client);

/// Closes the connection and frees the client, which no thread may use any more; null is nothing to do.
void edgeserve_close(edgeserve_client *client);

/// Why the last call of this client failed; lives as long as the client, and changes with its next call.
const edgeserve_error *edgeserve_last_error(const edgeserve_client *client);

/// The name of a status, such as "not found"; lives for ever.
const char *edgeserve_status_name(edgeserve_status status);

/// Ends the call that is under way, and every later one, with EDGESERVE_INTERRUPTED, until edgeserve_resume.
void edgeserve_interrupt(edgeserve_client *client);

/// Lets calls through again after edgeserve_interrupt.
void edgeserve_resume(edgeserve_client *client);

/// Runs a model on named tensors; `*response` is freed with edgeserve_response_free, and is null after a failure.
///
/// A kept connection that the agent has closed meanwhile is opened anew, and the request sent again, once; never after
/// a byte of the answer has come.
edgeserve_status edgeserve_predict(edgeserve_client *client, const edgeserve_request *request,
                                   edgeserve_response **response);

/// The output called `name`; null when there is none.
const edgeserve_tensor *edgeserve_output(const edgeserve_response *response, const char *name);

void edgeserve_response_free(edgeserve_response *response);

/// Bytes of one element; 0 for EDGESERVE_BYTES and for what is no type.
size_t edgeserve_datatype_size(edgeserve_datatype datatype);

/// The protocol's name of a type, such as "FP32"; null for what is none.
const char *edgeserve_datatype_name(edgeserve_datatype datatype);

/// Reads the strings of a tensor of EDGESERVE_BYTES one by one: `*offset` begins at 0. False at the end, and where the
/// bytes end within a string.
bool edgeserve_next_string(const edgeserve_tensor *tensor, size_t *offset, const char **bytes, size_t *count);

/// Whether every model that the agent is to serve does.
edgeserve_status edgeserve_server_ready(edgeserve_client *client, bool *is_ready);

/// Whether a model, or one version of it (null for any), serves.
edgeserve_status edgeserve_model_ready(edgeserve_client *client, const char *model, const char *version,
                                       bool *is_ready);

/// What a model takes and gives; freed with edgeserve_metadata_free.
edgeserve_status edgeserve_model_metadata(edgeserve_client *client, const char *model, const char *version,
                                          edgeserve_metadata **metadata);

void edgeserve_metadata_free(edgeserve_metadata *metadata);

/// Every version that serves; freed with edgeserve_model_list_free.
edgeserve_status edgeserve_list_models(edgeserve_client *client, edgeserve_model_list **list);

void edgeserve_model_list_free(edgeserve_model_list *list);

#ifdef __cplusplus
}
#endif

// Asks an edgeserve agent to classify what a file holds, and prints the most likely class.
//
//   cc -o classify classify.c $(pkg-config --cflags --libs edgeserve)
//   ./classify /run/edgeserve/edgeserve.sock digits picture.bin
//
// The file holds the elements of the model's only input, as the model takes them.
#include <edgeserve.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int explain(const edgeserve_client *client, const char *what) {
  const edgeserve_error *error = edgeserve_last_error(client);
  fprintf(stderr, "%s: %s: %s\n", what, edgeserve_status_name(error->status), error->message);
  if (error->retry_after_seconds > 0) fprintf(stderr, "try again in %u s\n", error->retry_after_seconds);
  return 1;
}

// An element as a number; types that this example does not know count as 0.
static double element(const edgeserve_tensor *tensor, size_t index) {
  switch (tensor->datatype) {
    case EDGESERVE_FP32: return ((const float *)tensor->data)[index];
    case EDGESERVE_INT8: return ((const int8_t *)tensor->data)[index];
    case EDGESERVE_UINT8: return ((const uint8_t *)tensor->data)[index];
    default: return 0;
  }
}

static void print_best(const edgeserve_response *response, const edgeserve_metadata *metadata) {
  const edgeserve_tensor *scores = &response->outputs[0];
  const size_t size = edgeserve_datatype_size(scores->datatype);
  const size_t count = size > 0 ? scores->byte_count / size : 0;
  size_t best = 0;
  for (size_t index = 1; index < count; index++) {
    if (element(scores, index) > element(scores, best)) best = index;
  }
  printf("%s version %s: class %zu", response->model, response->version, best);
  if (best < metadata->label_count) printf(" (%s)", metadata->labels[best]);
  printf("\n");
}

// Reads exactly `count` bytes; null when the file has more or fewer.
static void *read_file(const char *path, size_t count) {
  FILE *file = fopen(path, "rb");
  void *bytes = malloc(count + 1);
  const size_t read = file && bytes ? fread(bytes, 1, count + 1, file) : 0;
  if (file) fclose(file);
  if (file && bytes && read == count) return bytes;
  fprintf(stderr, "%s does not hold the input's %zu bytes\n", path, count);
  free(bytes);
  return NULL;
}

static int classify(edgeserve_client *client, const edgeserve_metadata *metadata, const char *path) {
  if (metadata->input_count != 1) {
    fprintf(stderr, "%s has %zu inputs; this example knows models of one\n", metadata->model, metadata->input_count);
    return 1;
  }
  // A free extent, such as the batch's, becomes 1.
  edgeserve_tensor input = metadata->inputs[0];
  input.byte_count = edgeserve_datatype_size(input.datatype);
  for (size_t axis = 0; axis < input.rank; axis++) {
    if (input.shape[axis] < 0) input.shape[axis] = 1;
    input.byte_count *= (size_t)input.shape[axis];
  }
  void *bytes = read_file(path, input.byte_count);
  if (!bytes) return 1;
  input.data = bytes;
  const edgeserve_request request = {
    .model = metadata->model, .inputs = &input, .input_count = 1, .timeout_milliseconds = 2000};
  edgeserve_response *response;
  int status = 0;
  if (edgeserve_predict(client, &request, &response) == EDGESERVE_OK) {
    print_best(response, metadata);
    edgeserve_response_free(response);
  } else {
    status = explain(client, metadata->model);
  }
  free(bytes);
  return status;
}

int main(int argc, char **argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: classify SOCKET MODEL FILE\n");
    return 2;
  }
  // While the agent restarts, wait for it for up to three seconds.
  const edgeserve_options options = {.reconnect_milliseconds = 3000};
  edgeserve_client *client;
  const edgeserve_status opened = edgeserve_open(argv[1], &options, &client);
  if (opened != EDGESERVE_OK) {
    fprintf(stderr, "%s: %s\n", argv[1], edgeserve_status_name(opened));
    return 2;
  }
  edgeserve_metadata *metadata;
  int status;
  if (edgeserve_model_metadata(client, argv[2], NULL, &metadata) == EDGESERVE_OK) {
    status = classify(client, metadata, argv[3]);
    edgeserve_metadata_free(metadata);
  } else {
    status = explain(client, argv[2]);
  }
  edgeserve_close(client);
  return status;
}

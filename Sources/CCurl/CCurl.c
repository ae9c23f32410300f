#include "CCurl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

// The part of libcurl's interface that is used, as its version 4 has it for good (curl/curl.h).
enum {
  option_writedata = 10001, option_url = 10002, option_errorbuffer = 10010, option_useragent = 10018,
  option_cainfo = 10065, option_xferinfodata = 10057,
  option_writefunction = 20011, option_xferinfofunction = 20219,
  option_low_speed_limit = 19, option_low_speed_time = 20, option_noprogress = 43, option_followlocation = 52,
  option_maxredirs = 68, option_nosignal = 99, option_timeout_ms = 155, option_connecttimeout_ms = 156,
  option_protocols = 181, option_redir_protocols = 182,
  info_response_code = 0x200000 + 2,
  code_ok = 0, code_write_error = 23, code_aborted_by_callback = 42,
  global_default = 3, protocol_http = 1, protocol_https = 2, error_bytes = 256,
};

static struct {
  int (*global_init)(long);
  void *(*easy_init)(void);
  int (*easy_setopt)(void *, int, ...);
  int (*easy_perform)(void *);
  int (*easy_getinfo)(void *, int, ...);
  void (*easy_cleanup)(void *);
  const char *(*easy_strerror)(int);
} library;

static int is_open;

static void open_library(void) {
  const char *names[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};
  void *handle = NULL;
  for (size_t i = 0; i < sizeof names / sizeof *names && handle == NULL; i++)
    handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
  if (handle == NULL) return;
  *(void **)&library.global_init = dlsym(handle, "curl_global_init");
  *(void **)&library.easy_init = dlsym(handle, "curl_easy_init");
  *(void **)&library.easy_setopt = dlsym(handle, "curl_easy_setopt");
  *(void **)&library.easy_perform = dlsym(handle, "curl_easy_perform");
  *(void **)&library.easy_getinfo = dlsym(handle, "curl_easy_getinfo");
  *(void **)&library.easy_cleanup = dlsym(handle, "curl_easy_cleanup");
  *(void **)&library.easy_strerror = dlsym(handle, "curl_easy_strerror");
  is_open = library.global_init != NULL && library.easy_init != NULL && library.easy_setopt != NULL &&
            library.easy_perform != NULL && library.easy_getinfo != NULL && library.easy_cleanup != NULL &&
            library.easy_strerror != NULL && library.global_init(global_default) == code_ok;
}

int ccurl_is_there(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, open_library);
  return is_open;
}

struct ccurl_client {
  void *easy;
  uint8_t *bytes;
  size_t count, maximum;
  int is_too_large;
  atomic_int is_cancelled;
  const char *reason;
  char error[error_bytes];
};

static size_t take(char *bytes, size_t size, size_t count, void *context) {
  struct ccurl_client *client = context;
  (void)size;  // Always 1.
  if (count > client->maximum - client->count) {
    client->is_too_large = 1;
    return 0;
  }
  memcpy(client->bytes + client->count, bytes, count);
  client->count += count;
  return count;
}

static int is_over(void *context, int64_t a, int64_t b, int64_t c, int64_t d) {
  struct ccurl_client *client = context;
  (void)a, (void)b, (void)c, (void)d;
  return atomic_load(&client->is_cancelled);
}

static int configure(struct ccurl_client *client, const char *authorities, int is_secure,
                     const struct ccurl_limits *limits) {
  const long protocols = is_secure ? protocol_https : protocol_http | protocol_https;
  const struct { int option; long value; } numbers[] = {
    {option_nosignal, 1}, {option_noprogress, 0}, {option_followlocation, 1}, {option_maxredirs, limits->redirects},
    {option_connecttimeout_ms, limits->connect_milliseconds}, {option_timeout_ms, limits->whole_milliseconds},
    {option_low_speed_limit, limits->slow_bytes}, {option_low_speed_time, limits->slow_seconds},
    {option_protocols, protocols}, {option_redir_protocols, protocols},
  };
  int code = code_ok;
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    code |= library.easy_setopt(client->easy, numbers[i].option, numbers[i].value);
  code |= library.easy_setopt(client->easy, option_errorbuffer, client->error);
  code |= library.easy_setopt(client->easy, option_writefunction, take);
  code |= library.easy_setopt(client->easy, option_writedata, client);
  code |= library.easy_setopt(client->easy, option_xferinfofunction, is_over);
  code |= library.easy_setopt(client->easy, option_xferinfodata, client);
  code |= library.easy_setopt(client->easy, option_useragent, "edgeserve");
  if (authorities != NULL) code |= library.easy_setopt(client->easy, option_cainfo, authorities);
  return code;
}

struct ccurl_client *ccurl_new(const char *authorities, int is_secure, const struct ccurl_limits *limits) {
  if (!ccurl_is_there()) return NULL;
  struct ccurl_client *client = calloc(1, sizeof *client);
  if (client == NULL) return NULL;
  client->maximum = limits->bytes_maximum;
  client->bytes = malloc(client->maximum);
  client->easy = library.easy_init();
  if (client->bytes == NULL || client->easy == NULL || configure(client, authorities, is_secure, limits) != code_ok) {
    ccurl_free(client);
    return NULL;
  }
  return client;
}

void ccurl_free(struct ccurl_client *client) {
  if (client->easy != NULL) library.easy_cleanup(client->easy);
  free(client->bytes);
  free(client);
}

enum ccurl_outcome ccurl_get(struct ccurl_client *client, const char *address, long *status) {
  client->count = 0;
  client->is_too_large = 0;
  client->error[0] = 0;
  client->reason = client->error;
  *status = 0;
  int code = library.easy_setopt(client->easy, option_url, address);
  if (code == code_ok) code = library.easy_perform(client->easy);
  library.easy_getinfo(client->easy, info_response_code, status);
  // What an error page says is nobody's business, however long it is.
  if (*status != 0 && *status != 200 && (code == code_ok || code == code_write_error)) return ccurl_status;
  if (client->is_too_large) return ccurl_too_large;
  if (code == code_ok) return ccurl_done;
  if (code == code_aborted_by_callback) return ccurl_cancelled;
  if (client->error[0] == 0) client->reason = library.easy_strerror(code);
  return ccurl_failed;
}

const uint8_t *ccurl_bytes(const struct ccurl_client *client, size_t *count) {
  *count = client->count;
  return client->bytes;
}

const char *ccurl_error(const struct ccurl_client *client) { return client->reason; }

void ccurl_cancel(struct ccurl_client *client) { atomic_store(&client->is_cancelled, 1); }

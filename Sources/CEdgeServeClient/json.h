#pragma once

#include "decoding.h"

/// Whether the next value begins with `byte`, which is passed over; else the reader fails.
bool json_open(struct json *json, uint8_t byte);

/// Goes to the next key of an object and takes it; false at the object's end and after a failure.
///
/// `*index` counts the members, from 0.
bool json_next_key(struct json *json, size_t *index, const char *keys[], size_t key_count, size_t *key);

/// Goes to the next element of an array; false at its end and after a failure.
bool json_next_element(struct json *json, size_t *index);

/// Elements of the array that comes next, which is not passed over; fails beyond `maximum`.
size_t json_count_elements(struct json *json, size_t maximum);

/// A string, decoded, with a final zero; null after a failure, and when there is no memory, which sets `*is_full`.
const char *json_string(struct json *json, struct arena *arena, bool *is_full);

int64_t json_integer(struct json *json);

/// Passes over a value of any kind.
void json_skip(struct json *json);

/// Whether nothing but white space is left, and nothing failed.
bool json_at_end(struct json *json);

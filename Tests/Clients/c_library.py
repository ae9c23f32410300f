"""The C client library as Python calls it: built by the machine's `cc`, its structures and calls through ctypes."""

import ctypes
import os
import subprocess

import fixtures

SOURCES = os.path.join(fixtures.PACKAGE, "Sources", "CEdgeServeClient")
INCLUDE = os.path.join(SOURCES, "include")
FILES = [os.path.join(SOURCES, name) for name in sorted(os.listdir(SOURCES)) if name.endswith(".c")]
STRICT = ["-std=c11", "-Wall", "-Wextra", "-Werror"]
(
    OK, INVALID_ARGUMENT, BUSY, OUT_OF_MEMORY, UNREACHABLE, CONNECTION_LOST, DEADLINE_EXCEEDED, INTERRUPTED, BAD_REQUEST,
    FORBIDDEN, NOT_FOUND, TOO_LARGE, TOO_MANY_REQUESTS, UNAVAILABLE, AGENT_FAILED, MALFORMED_ANSWER,
) = range(16)
INT8, FP32 = 6, 11


def compile_program(output, *arguments):
    subprocess.run(["cc", *STRICT, "-o", output, *arguments], check=True)


class Tensor(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p), ("datatype", ctypes.c_int), ("rank", ctypes.c_size_t),
        ("shape", ctypes.c_int64 * 8), ("data", ctypes.c_void_p), ("byte_count", ctypes.c_size_t),
    ]  # fmt: skip


class Options(ctypes.Structure):
    _fields_ = [
        ("timeout_milliseconds", ctypes.c_uint32), ("reconnect_milliseconds", ctypes.c_uint32),
        ("body_bytes_maximum", ctypes.c_size_t),
    ]  # fmt: skip


class Request(ctypes.Structure):
    _fields_ = [
        ("model", ctypes.c_char_p), ("version", ctypes.c_char_p), ("inputs", ctypes.POINTER(Tensor)),
        ("input_count", ctypes.c_size_t), ("outputs", ctypes.POINTER(ctypes.c_char_p)), ("output_count", ctypes.c_size_t),
        ("timeout_milliseconds", ctypes.c_uint32), ("priority", ctypes.c_uint32), ("key", ctypes.c_char_p),
    ]  # fmt: skip


class Response(ctypes.Structure):
    _fields_ = [
        ("model", ctypes.c_char_p), ("version", ctypes.c_char_p), ("fallback", ctypes.c_char_p),
        ("outputs", ctypes.POINTER(Tensor)), ("output_count", ctypes.c_size_t),
    ]  # fmt: skip


class ErrorDetails(ctypes.Structure):
    _fields_ = [
        ("status", ctypes.c_int), ("http_status", ctypes.c_int), ("system_error", ctypes.c_int),
        ("retry_after_seconds", ctypes.c_uint32), ("message", ctypes.c_char * 512),
    ]  # fmt: skip


class Model(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("version", ctypes.c_char_p)]


class ModelList(ctypes.Structure):
    _fields_ = [("models", ctypes.POINTER(Model)), ("count", ctypes.c_size_t)]


def load(directory):
    """The library, built in `directory`."""
    path = os.path.join(directory, "libedgeserve-test.so")
    compile_program(path, "-shared", "-fPIC", f"-I{INCLUDE}", *FILES)
    library = ctypes.CDLL(path)
    library.edgeserve_last_error.restype = ctypes.POINTER(ErrorDetails)
    for name in ("edgeserve_close", "edgeserve_interrupt", "edgeserve_resume", "edgeserve_last_error"):
        getattr(library, name).argtypes = [ctypes.c_void_p]
    return library


class Failure(Exception):
    """A call that did not end with OK."""

    def __init__(self, status, details):
        super().__init__(f"{status}: {details.message.decode()}")
        self.status = status
        self.http_status = details.http_status
        self.retry_after = details.retry_after_seconds
        self.message = details.message.decode()


class Client:
    """One client of the library."""

    def __init__(self, library, path, timeout=0, reconnect=0, body_bytes=0):
        self.library, self.handle = library, ctypes.c_void_p()
        options = Options(timeout, reconnect, body_bytes)
        status = library.edgeserve_open(path.encode(), ctypes.byref(options), ctypes.byref(self.handle))
        if status != OK:
            raise Failure(status, ErrorDetails())

    def close(self):
        self.library.edgeserve_close(self.handle)
        self.handle = ctypes.c_void_p()

    def check(self, status):
        if status != OK:
            raise Failure(status, self.library.edgeserve_last_error(self.handle).contents)

    def predict(self, model, inputs, version=None, outputs=(), timeout=0, key=None, priority=0):
        """`inputs`: tuples of name, datatype, shape and bytes; gives version and outputs as (name, shape, bytes)."""
        tensors = (Tensor * max(1, len(inputs)))()
        kept = []
        for tensor, (name, datatype, shape, data) in zip(tensors, inputs):
            kept.append(ctypes.create_string_buffer(data, len(data)))
            tensor.name, tensor.datatype, tensor.rank = name.encode(), datatype, len(shape)
            tensor.shape[: len(shape)] = shape
            tensor.data, tensor.byte_count = ctypes.addressof(kept[-1]), len(data)
        names = (ctypes.c_char_p * max(1, len(outputs)))(*[name.encode() for name in outputs])
        request = Request(
            model.encode(), version and version.encode(), tensors, len(inputs), names, len(outputs), timeout, priority,
            key and key.encode(),
        )  # fmt: skip
        response = ctypes.POINTER(Response)()
        self.check(self.library.edgeserve_predict(self.handle, ctypes.byref(request), ctypes.byref(response)))
        answer = response.contents
        read = [answer.outputs[index] for index in range(answer.output_count)]
        assert all(tensor.data % 16 == 0 for tensor in read)
        result = [
            (tensor.name.decode(), tensor.shape[: tensor.rank], ctypes.string_at(tensor.data, tensor.byte_count))
            for tensor in read
        ]
        version = answer.version.decode()
        self.library.edgeserve_response_free(response)
        return version, result

    def models(self):
        listed = ctypes.POINTER(ModelList)()
        self.check(self.library.edgeserve_list_models(self.handle, ctypes.byref(listed)))
        found = listed.contents
        result = {(found.models[i].name.decode(), found.models[i].version.decode()) for i in range(found.count)}
        self.library.edgeserve_model_list_free(listed)
        return result

    def ready(self, model=None, version=None):
        is_ready = ctypes.c_bool()
        if model is None:
            status = self.library.edgeserve_server_ready(self.handle, ctypes.byref(is_ready))
        else:
            status = self.library.edgeserve_model_ready(
                self.handle, model.encode(), version and version.encode(), ctypes.byref(is_ready)
            )
        self.check(status)
        return is_ready.value

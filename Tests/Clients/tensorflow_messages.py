"""The few messages of TensorFlow that `tensorflow-serving-api` refers to, stated by name, number and type.

Its generated modules import them from the package `tensorflow`, which is a hundred times as large as all the rest of
these tests. Importing this module puts stand-ins with just these messages in its place.
"""

import re
import sys
import types

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.internal import enum_type_wrapper

# A field is `name number type`; `*` behind the type repeats it, `{}` makes a map from text to it.
TENSOR = {
    "TensorShapeProto.Dim": "size 1 int64, name 2 string",
    "TensorShapeProto": "dim 2 TensorShapeProto.Dim*, unknown_rank 3 bool",
    "TensorProto": "dtype 1 DataType, tensor_shape 2 TensorShapeProto, version_number 3 int32, "
    "tensor_content 4 bytes, float_val 5 float*, double_val 6 double*, int_val 7 int32*, string_val 8 bytes*, "
    "int64_val 10 int64*, bool_val 11 bool*, half_val 13 int32*, uint32_val 16 uint32*, uint64_val 17 uint64*",
}
TYPES = {
    "DataType": "DT_INVALID 0, DT_FLOAT 1, DT_DOUBLE 2, DT_INT32 3, DT_UINT8 4, DT_INT16 5, DT_INT8 6, DT_STRING 7, "
    "DT_INT64 9, DT_BOOL 10, DT_BFLOAT16 14, DT_UINT16 17, DT_HALF 19, DT_UINT32 22, DT_UINT64 23",
}
CODES = {
    "Code": "OK 0, CANCELLED 1, UNKNOWN 2, INVALID_ARGUMENT 3, DEADLINE_EXCEEDED 4, NOT_FOUND 5, ALREADY_EXISTS 6, "
    "PERMISSION_DENIED 7, UNAUTHENTICATED 16, RESOURCE_EXHAUSTED 8, FAILED_PRECONDITION 9, ABORTED 10, "
    "OUT_OF_RANGE 11, UNIMPLEMENTED 12, INTERNAL 13, UNAVAILABLE 14, DATA_LOSS 15",
}
SIGNATURES = {
    "TensorInfo": "name 1 string, dtype 2 DataType, tensor_shape 3 TensorShapeProto",
    "SignatureDef": "inputs 1 TensorInfo{}, outputs 2 TensorInfo{}, method_name 3 string, defaults 4 TensorProto{}",
}
EXAMPLES = {
    "BytesList": "value 1 bytes*",
    "FloatList": "value 1 float*",
    "Int64List": "value 1 int64*",
    "Feature": "bytes_list 1 BytesList, float_list 2 FloatList, int64_list 3 Int64List",
    "Features": "feature 1 Feature{}",
    "Example": "features 1 Features",
}
# File, its package, its messages, its enumerations, the files that it refers to.
FILES = [
    ("tensorflow/core/framework/tensor", "tensorflow", TENSOR, TYPES, []),
    ("tensorflow/core/protobuf/error_codes", "tensorflow.error", {}, CODES, []),
    ("tensorflow/core/protobuf/meta_graph", "tensorflow", SIGNATURES, {}, ["tensorflow/core/framework/tensor"]),
    ("tensorflow/core/example/example", "tensorflow", EXAMPLES, {}, []),
]
SCALARS = {"double": 1, "float": 2, "int64": 3, "uint64": 4, "int32": 5, "bool": 8, "string": 9, "bytes": 12,
           "uint32": 13}


def add_field(message, owner, text):
    name, number, kind = text.split()
    field = message.field.add(name=name, number=int(number), label=3 if kind[-1] in "*}" else 1)
    element = kind.rstrip("*{}")
    if kind.endswith("{}"):
        entry = message.nested_type.add(name=name.title().replace("_", "") + "Entry")
        entry.options.map_entry = True
        add_field(entry, owner, "key 1 string")
        add_field(entry, owner, f"value 2 {element}")
        field.type, field.type_name = 11, f".{owner}.{message.name}.{entry.name}"
    elif element in SCALARS:
        field.type = SCALARS[element]
    else:
        field.type, field.type_name = 14 if element in TYPES else 11, f".tensorflow.{element}"


def install():
    pool = descriptor_pool.Default()
    for path, package, messages, enumerations, imports in FILES:
        file = descriptor_pb2.FileDescriptorProto(name=path + ".proto", package=package, syntax="proto3")
        file.dependency.extend(name + ".proto" for name in imports)
        for name, values in enumerations.items():
            enumeration = file.enum_type.add(name=name)
            for value in values.split(", "):
                label, number = value.split()
                enumeration.value.add(name=label, number=int(number))
        made = {}
        for name in sorted(messages, key=lambda name: name.count(".")):
            outer, _, inner = name.rpartition(".")
            made[name] = made[outer].nested_type.add(name=inner) if outer else file.message_type.add(name=name)
        for name, fields in messages.items():
            for text in re.split(r",\s*", fields):
                add_field(made[name], package, text)
        descriptor = pool.AddSerializedFile(file.SerializeToString()) or pool.FindFileByName(file.name)
        module = types.ModuleType(path.replace("/", ".") + "_pb2")
        module.DESCRIPTOR = descriptor
        for name, message in descriptor.message_types_by_name.items():
            setattr(module, name, message_factory.GetMessageClass(message))
        for name, enumeration in descriptor.enum_types_by_name.items():
            setattr(module, name, enum_type_wrapper.EnumTypeWrapper(enumeration))
            for value in enumeration.values:
                setattr(module, value.name, value.number)
        # The real file passes on another one, which generated modules ask it for.
        module.xla_dot_tsl_dot_protobuf_dot_error__codes__pb2 = module
        parents = path.split("/")
        for depth in range(1, len(parents)):
            parent = ".".join(parents[:depth])
            sys.modules.setdefault(parent, types.ModuleType(parent)).__path__ = []
        sys.modules[module.__name__] = module
        setattr(sys.modules[".".join(parents[:-1])], parents[-1] + "_pb2", module)


install()

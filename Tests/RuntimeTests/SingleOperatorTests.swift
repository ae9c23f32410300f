import KernelDispatch
import KernelInterface
import Runtime
import TestSupport
import Testing

@Suite("Single operators of real networks")
struct SingleOperatorTests {
  /// Operators and element types that have kernels, as the files are named.
  static let inScope: [String] = [
    "add", "average_pool_2d", "concatenation", "conv_2d", "depthwise_conv_2d", "dequantize",
    "fully_connected", "logistic", "max_pool_2d", "mean", "mul", "pad", "quantize", "relu",
    "softmax", "sub", "tanh",
  ].flatMap { name in ["float32", "int8", "uint8", "int16"].map { "\(name)_\($0)" } }

  /// Operators of other element types, or through the general kernels.
  static let general = [
    "add_int32", "arg_max_int8", "cast_int32", "concatenation_int32", "floor_div_int32",
    "floor_mod_int32", "gather_nd_int8", "gelu_int8", "hard_swish_int8", "less_int32",
    "log_float32", "mul_int32", "neg_float32", "resize_bilinear_int8", "rsqrt_float32",
    "rsqrt_int8", "select_bool", "split_int32", "squared_difference_float32",
    "squared_difference_int8", "strided_slice_float32", "strided_slice_int32", "sub_int32",
    "transpose_float32", "transpose_int8", "unpack_float32", "unpack_int8",
  ]

  static let models: [String] = SharedModels.paths(under: "op_level").filter { path in
    let file = path.split(separator: "/").last.map(String.init) ?? ""
    // What is left of the name: an optional mark of per-channel weights, a number and a digest.
    return (inScope + general).contains { file.hasPrefix($0 + "_") }
  }

  @Test("meet the reference kernels on every table", arguments: models)
  func meetsReference(path: String) throws {
    let stem = String(path.dropLast(".tflite".count))
    var inputs: [[UInt8]] = []
    while let input = try? NumPyArray(path: "\(stem).in_\(inputs.count).npy") {
      inputs.append(input.bytes)
    }
    for table in KernelTable.supported {
      let outputs = try RunningModel(path, table, threads: 2).outputs(for: inputs)
      for (index, output) in outputs.enumerated() {
        let expected = try NumPyArray(path: "\(stem).out_\(index).npy")
        #expect(output.count == expected.bytes.count)
        switch expected.elementType {
        case "<f4": try expectFloats(floats(output), expected.float32, table)
        default: #expect(output == expected.bytes, "\(table.name)")
        }
      }
    }
  }

  /// No value further from the reference than a hundred-thousandth of the largest.
  private func expectFloats(_ actual: [Float], _ expected: [Float], _ table: KernelTable) throws {
    let furthest = zip(actual, expected).map { abs($0 - $1) }.max() ?? 0
    let largest = expected.map(abs).max() ?? 0
    #expect(furthest <= 1e-5 * largest, "\(table.name): \(furthest / largest)")
  }
}

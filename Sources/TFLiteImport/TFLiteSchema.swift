/// Places of fields in the tables of the TensorFlow Lite schema, version 3.
enum TFLiteSchema {
  static let version: UInt32 = 3

  enum Model {
    static let version = 0
    static let operatorCodes = 1
    static let subgraphs = 2
    static let description = 3
    static let buffers = 4
    static let metadata = 6
    static let signatures = 7
  }

  enum OperatorCode {
    static let deprecatedBuiltinCode = 0
    static let customCode = 1
    static let version = 2
    static let builtinCode = 3
  }

  enum Subgraph {
    static let tensors = 0
    static let inputs = 1
    static let outputs = 2
    static let operators = 3
  }

  enum Tensor {
    static let shape = 0
    static let type = 1
    static let buffer = 2
    static let name = 3
    static let quantization = 4
    static let isVariable = 5
    static let sparsity = 6
    static let shapeSignature = 7
  }

  enum Quantization {
    static let scale = 2
    static let zeroPoint = 3
    static let detailsType = 4
    static let axis = 6
    static let details = 5
    /// The union member of block-wise scales.
    static let blockwise: UInt8 = 2
  }

  enum BlockwiseQuantization {
    static let scales = 0
    static let zeroPoints = 1
    static let blockSize = 2
  }

  enum Sparsity {
    static let order = 0
    static let blocks = 1
    static let levels = 2
  }

  enum SparseAxis {
    static let format = 0
    static let extent = 1
    static let segmentsType = 2
    static let segments = 3
    static let indicesType = 4
    static let indices = 5
  }

  enum Operator {
    static let codeIndex = 0
    static let inputs = 1
    static let outputs = 2
    static let optionsType = 3
    static let options = 4
    static let customOptions = 5
    static let intermediates = 8
    static let secondOptionsType = 11
    static let secondOptions = 12
  }

  enum Buffer {
    static let data = 0
    static let offset = 1
    static let size = 2
  }

  enum Metadata {
    static let name = 0
    static let buffer = 1
    /// The name of the entry that states the oldest runtime.
    static let minimumRuntimeVersion = "min_runtime_version"
  }

  enum Signature {
    static let inputs = 0
    static let outputs = 1
    static let key = 2
    static let subgraph = 4
  }

  enum TensorMap {
    static let name = 0
    static let tensor = 1
  }
}

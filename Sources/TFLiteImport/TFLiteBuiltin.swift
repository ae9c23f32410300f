/// A built-in operator of the TensorFlow Lite schema that can be brought into a graph; its raw
/// value is the code.
enum TFLiteBuiltin: Int32, CaseIterable {
  case add = 0
  case averagePool2D = 1
  case concatenation = 2
  case convolution2D = 3
  case depthwiseConvolution2D = 4
  case dequantize = 6
  case fullyConnected = 9
  case logistic = 14
  case maximumPool2D = 17
  case multiply = 18
  case relu = 19
  case reluN1To1 = 20
  case relu6 = 21
  case reshape = 22
  case softmax = 25
  case svdf = 27
  case rnn = 24
  case unidirectionalSequenceRNN = 35
  case tanh = 28
  case pad = 34
  case mean = 40
  case subtract = 41
  case squeeze = 43
  case unidirectionalSequenceLSTM = 44
  case padV2 = 60
  case expandDimensions = 70
  case quantize = 114
  case callOnce = 129
  case variableHandle = 142
  case readVariable = 143
  case assignVariable = 144
  case depthToSpace = 5
  case embeddingLookup = 7
  case floor = 8
  case l2Normalization = 11
  case resizeBilinear = 23
  case spaceToDepth = 26
  case gather = 36
  case batchToSpaceND = 37
  case spaceToBatchND = 38
  case transpose = 39
  case divide = 42
  case stridedSlice = 45
  case exponential = 47
  case split = 49
  case logSoftmax = 50
  case cast = 53
  case prelu = 54
  case maximum = 55
  case argumentMaximum = 56
  case minimum = 57
  case less = 58
  case negate = 59
  case greater = 61
  case greaterEqual = 62
  case lessEqual = 63
  case select = 64
  case slice = 65
  case sine = 66
  case transposeConvolution = 67
  case tile = 69
  case equal = 71
  case notEqual = 72
  case logarithm = 73
  case sum = 74
  case squareRoot = 75
  case reciprocalSquareRoot = 76
  case shape = 77
  case power = 78
  case argumentMinimum = 79
  case reduceProduct = 81
  case reduceMaximum = 82
  case pack = 83
  case logicalOr = 84
  case oneHot = 85
  case logicalAnd = 86
  case logicalNot = 87
  case unpack = 88
  case reduceMinimum = 89
  case floorDivide = 90
  case reduceAny = 91
  case square = 92
  case zerosLike = 93
  case fill = 94
  case floorModulo = 95
  case range = 96
  case resizeNearestNeighbor = 97
  case leakyRelu = 98
  case squaredDifference = 99
  case mirrorPad = 100
  case absolute = 101
  case splitV = 102
  case unique = 103
  case ceiling = 104
  case reverseV2 = 105
  case gatherND = 107
  case cosine = 108
  case whereNonzero = 109
  case rank = 110
  case elu = 111
  case round = 116
  case hardSwish = 117
  case selectV2 = 123
  case batchMatmul = 126
  case cumulativeSum = 128
  case broadcastTo = 130
  case reduceAll = 140
  case gelu = 150
  case dynamicUpdateSlice = 151
  case relu0To1 = 152
  case sign = 158
  case call = 31
  case ifElse = 118
  case whileLoop = 119
  case stablehloComposite = 206
  case topK = 48
  case scatterND = 122
  case reverseSequence = 112
  case localResponseNormalization = 13
  case rfft2D = 131
  case imaginary = 133
  case real = 134
  case complexMagnitude = 135
  case addN = 106
  case l2Pool2D = 12
  case lstm = 16
  case broadcastArguments = 145
  case convolution3D = 132
  case segmentSum = 125
  case unsortedSegmentProduct = 153
  case unsortedSegmentMaximum = 154
  case unsortedSegmentSum = 155
  case unsortedSegmentMinimum = 157
  case bucketize = 147
  case nonMaxSuppressionV4 = 120
  case nonMaxSuppressionV5 = 121
  case matrixDiagonal = 113
  case matrixSetDiagonal = 115
  case arcTangent = 156
  case bitwiseXor = 160
  case rightShift = 161
  case stablehloAdd = 163
  case stablehloMultiply = 165
  case stablehloMaximum = 166
  case stablehloMinimum = 181
  case bidirectionalSequenceRNN = 46
  case bidirectionalSequenceLSTM = 52
  case fakeQuantize = 80
  case densify = 124
  case sparseToDense = 68
  case transposeConvolution3D = 141
  /// No built-in operator, which have codes from 0 on.
  case detectionPostProcess = -1
  case signalWindow = -2
  case signalAutoScale = -3
  case signalSpectrum = -4
  case signalEnergy = -5
  case filterBank = -6
  case filterBankRoot = -7
  case subtractNoise = -8
  case gainControl = -9
  case filterBankLogarithm = -10
  case inverseSpectrum = -11
  case overlapAdd = -12
  case delay = -13
  case cutFrames = -14
  case stackFrames = -15
  case decode = -16
  case circularBuffer = -17
  case transposeConvolutionBias = -18
  case maximumPoolIndices = -19
  case unpool = -20

  /// The latest version of the operator whose meaning is known. Most versions add element types alone, which are
  /// looked at by themselves.
  var versionMaximum: Int {
    switch self {
    case .reshape, .expandDimensions, .reluN1To1, .callOnce, .variableHandle, .readVariable,
      .assignVariable, .call, .ifElse, .whileLoop, .stablehloComposite:
      1
    case .whereNonzero, .unique, .arcTangent, .bitwiseXor, .rightShift, .scatterND, .reverseSequence,
      .localResponseNormalization, .rfft2D, .imaginary, .real,
      .complexMagnitude, .addN, .l2Pool2D, .broadcastArguments, .convolution3D, .segmentSum,
      .unsortedSegmentProduct, .unsortedSegmentMaximum, .unsortedSegmentSum,
      .unsortedSegmentMinimum, .bucketize, .nonMaxSuppressionV4, .nonMaxSuppressionV5,
      .matrixDiagonal, .matrixSetDiagonal, .stablehloAdd,
      .stablehloMultiply, .stablehloMaximum, .stablehloMinimum, .detectionPostProcess,
      .signalWindow, .signalAutoScale, .signalSpectrum, .signalEnergy, .filterBank,
      .filterBankRoot, .subtractNoise, .gainControl, .filterBankLogarithm, .inverseSpectrum,
      .overlapAdd, .delay, .cutFrames, .stackFrames, .decode, .densify, .circularBuffer,
      .transposeConvolution3D, .transposeConvolutionBias, .maximumPoolIndices, .unpool:
      1
    case .squeeze, .fakeQuantize: 2
    case .sparseToDense, .topK, .rnn, .unidirectionalSequenceRNN, .bidirectionalSequenceRNN,
      .bidirectionalSequenceLSTM:
      3
    case .lstm: 4
    case .averagePool2D, .maximumPool2D, .logistic, .tanh, .relu, .relu6, .mean: 3
    case .svdf, .softmax: 4
    case .subtract, .unidirectionalSequenceLSTM: 5
    case .pad, .padV2, .quantize, .add, .unpack, .dynamicUpdateSlice: 6
    case .depthwiseConvolution2D, .concatenation: 7
    case .splitV, .gatherND, .notEqual, .equal, .prelu: 7
    case .convolution2D, .multiply, .stridedSlice, .gather, .slice: 8
    case .dequantize, .transpose, .cast: 9
    case .fullyConnected: 14
    case .depthToSpace, .embeddingLookup, .floor, .l2Normalization, .resizeBilinear,
      .spaceToDepth, .batchToSpaceND, .spaceToBatchND, .divide, .exponential, .split,
      .logSoftmax, .maximum, .argumentMaximum, .minimum, .less, .negate, .greater,
      .greaterEqual, .lessEqual, .select, .sine, .transposeConvolution, .tile, .logarithm, .sum,
      .squareRoot, .reciprocalSquareRoot, .shape, .power, .argumentMinimum, .reduceProduct,
      .reduceMaximum, .pack, .logicalOr, .oneHot, .logicalAnd, .logicalNot,
      .reduceMinimum, .floorDivide, .reduceAny, .square, .zerosLike, .fill, .floorModulo, .range,
      .resizeNearestNeighbor, .leakyRelu, .squaredDifference, .mirrorPad, .absolute, .ceiling,
      .reverseV2, .cosine, .rank, .elu, .round, .hardSwish, .selectV2, .batchMatmul,
      .cumulativeSum, .broadcastTo, .reduceAll, .gelu, .relu0To1, .sign: 5
    }
  }

  /// Whether the operator names or changes a variable and computes nothing.
  var isOnVariables: Bool {
    switch self {
    case .callOnce, .variableHandle, .readVariable, .assignVariable: true
    default: false
    }
  }

  /// The custom operator of that name; nil for one that is not known.
  init?(customCode: String) {
    switch customCode {
    case "TFLite_Detection_PostProcess": self = .detectionPostProcess
    case "SignalWindow": self = .signalWindow
    case "SignalFftAutoScale": self = .signalAutoScale
    case "SignalRfft": self = .signalSpectrum
    case "SignalEnergy": self = .signalEnergy
    case "SignalFilterBank": self = .filterBank
    case "SignalFilterBankSquareRoot": self = .filterBankRoot
    case "SignalFilterBankSpectralSubtraction": self = .subtractNoise
    case "SignalPCAN": self = .gainControl
    case "SignalFilterBankLog": self = .filterBankLogarithm
    case "SignalIrfft": self = .inverseSpectrum
    case "SignalOverlapAdd": self = .overlapAdd
    case "SignalDelay": self = .delay
    case "SignalFramer": self = .cutFrames
    case "SignalStacker": self = .stackFrames
    case "TFLM_DECODE": self = .decode
    case "CIRCULAR_BUFFER": self = .circularBuffer
    case "Convolution2DTransposeBias": self = .transposeConvolutionBias
    case "MaxPoolingWithArgmax2D": self = .maximumPoolIndices
    case "MaxUnpooling2D": self = .unpool
    default: return nil
    }
  }

  /// The schema's name of any built-in operator's code, supported or not.
  static func name(of code: Int32) -> String {
    let index = Int(code)
    return names.indices.contains(index) ? String(names[index]) : "BUILTIN:\(code)"
  }

  private static let names = """
    ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE \
    EMBEDDING_LOOKUP FLOOR FULLY_CONNECTED HASHTABLE_LOOKUP L2_NORMALIZATION L2_POOL_2D \
    LOCAL_RESPONSE_NORMALIZATION LOGISTIC LSH_PROJECTION LSTM MAX_POOL_2D MUL RELU RELU_N1_TO_1 \
    RELU6 RESHAPE RESIZE_BILINEAR RNN SOFTMAX SPACE_TO_DEPTH SVDF TANH CONCAT_EMBEDDINGS \
    SKIP_GRAM CALL CUSTOM EMBEDDING_LOOKUP_SPARSE PAD UNIDIRECTIONAL_SEQUENCE_RNN GATHER \
    BATCH_TO_SPACE_ND SPACE_TO_BATCH_ND TRANSPOSE MEAN SUB DIV SQUEEZE \
    UNIDIRECTIONAL_SEQUENCE_LSTM STRIDED_SLICE BIDIRECTIONAL_SEQUENCE_RNN EXP TOPK_V2 SPLIT \
    LOG_SOFTMAX DELEGATE BIDIRECTIONAL_SEQUENCE_LSTM CAST PRELU MAXIMUM ARG_MAX MINIMUM LESS NEG \
    PADV2 GREATER GREATER_EQUAL LESS_EQUAL SELECT SLICE SIN TRANSPOSE_CONV SPARSE_TO_DENSE TILE \
    EXPAND_DIMS EQUAL NOT_EQUAL LOG SUM SQRT RSQRT SHAPE POW ARG_MIN FAKE_QUANT REDUCE_PROD \
    REDUCE_MAX PACK LOGICAL_OR ONE_HOT LOGICAL_AND LOGICAL_NOT UNPACK REDUCE_MIN FLOOR_DIV \
    REDUCE_ANY SQUARE ZEROS_LIKE FILL FLOOR_MOD RANGE RESIZE_NEAREST_NEIGHBOR LEAKY_RELU \
    SQUARED_DIFFERENCE MIRROR_PAD ABS SPLIT_V UNIQUE CEIL REVERSE_V2 ADD_N GATHER_ND COS WHERE \
    RANK ELU REVERSE_SEQUENCE MATRIX_DIAG QUANTIZE MATRIX_SET_DIAG ROUND HARD_SWISH IF WHILE \
    NON_MAX_SUPPRESSION_V4 NON_MAX_SUPPRESSION_V5 SCATTER_ND SELECT_V2 DENSIFY SEGMENT_SUM \
    BATCH_MATMUL PLACEHOLDER_FOR_GREATER_OP_CODES CUMSUM CALL_ONCE BROADCAST_TO RFFT2D CONV_3D \
    IMAG REAL COMPLEX_ABS HASHTABLE HASHTABLE_FIND HASHTABLE_IMPORT HASHTABLE_SIZE REDUCE_ALL \
    CONV_3D_TRANSPOSE VAR_HANDLE READ_VARIABLE ASSIGN_VARIABLE BROADCAST_ARGS \
    RANDOM_STANDARD_NORMAL BUCKETIZE RANDOM_UNIFORM MULTINOMIAL GELU DYNAMIC_UPDATE_SLICE \
    RELU_0_TO_1 UNSORTED_SEGMENT_PROD UNSORTED_SEGMENT_MAX UNSORTED_SEGMENT_SUM ATAN2 \
    UNSORTED_SEGMENT_MIN SIGN BITCAST BITWISE_XOR RIGHT_SHIFT STABLEHLO_LOGISTIC STABLEHLO_ADD \
    STABLEHLO_DIVIDE STABLEHLO_MULTIPLY STABLEHLO_MAXIMUM STABLEHLO_RESHAPE STABLEHLO_CLAMP \
    STABLEHLO_CONCATENATE STABLEHLO_BROADCAST_IN_DIM STABLEHLO_CONVOLUTION STABLEHLO_SLICE \
    STABLEHLO_CUSTOM_CALL STABLEHLO_REDUCE STABLEHLO_ABS STABLEHLO_AND STABLEHLO_COSINE \
    STABLEHLO_EXPONENTIAL STABLEHLO_FLOOR STABLEHLO_LOG STABLEHLO_MINIMUM STABLEHLO_NEGATE \
    STABLEHLO_OR STABLEHLO_POWER STABLEHLO_REMAINDER STABLEHLO_RSQRT STABLEHLO_SELECT \
    STABLEHLO_SUBTRACT STABLEHLO_TANH STABLEHLO_SCATTER STABLEHLO_COMPARE STABLEHLO_CONVERT \
    STABLEHLO_DYNAMIC_SLICE STABLEHLO_DYNAMIC_UPDATE_SLICE STABLEHLO_PAD STABLEHLO_IOTA \
    STABLEHLO_DOT_GENERAL STABLEHLO_REDUCE_WINDOW STABLEHLO_SORT STABLEHLO_WHILE \
    STABLEHLO_GATHER STABLEHLO_TRANSPOSE DILATE STABLEHLO_RNG_BIT_GENERATOR REDUCE_WINDOW \
    STABLEHLO_COMPOSITE STABLEHLO_SHIFT_LEFT STABLEHLO_CBRT STABLEHLO_CASE
    """.split(separator: " ")
}

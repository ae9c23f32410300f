import CVector
import KernelInterface

/// The register tiles of this instruction set: MR rows × 16 channels.
///
/// Int8: AVX2 needs eight accumulators, two vectors of weights, one of activations and one product, 12 of 16 registers;
/// NEON 16 accumulators of 32 registers; SSE2 holds two rows in eight. Float32: six rows on AVX2 (twelve `vfmadd231ps` a
/// step), four on NEON, two on SSE2. AVX-512 has 32 registers of 16 numbers: eight rows of two panels in 16 of them.
enum Tile {
  #if arch(x86_64) && ISA_AVX512VNNI
    static var tableName: String { "avx512-vnni" }
    static var int8Rows: Int { 8 }
    static var float32Rows: Int { 8 }
  #elseif arch(x86_64) && ISA_AVXVNNI
    static var tableName: String { "avx-vnni" }
    static var int8Rows: Int { 4 }
    static var float32Rows: Int { 6 }
  #elseif arch(x86_64) && ISA_AVX2
    static var tableName: String { "avx2" }
    static var int8Rows: Int { 4 }
    static var float32Rows: Int { 6 }
  #elseif arch(x86_64)
    static var tableName: String { "baseline" }
    static var int8Rows: Int { 2 }
    static var float32Rows: Int { 2 }
  #elseif ISA_NEONDot
    static var tableName: String { "neon-dotprod" }
    static var int8Rows: Int { 4 }
    static var float32Rows: Int { 4 }
  #else
    static var tableName: String { "neon" }
    static var int8Rows: Int { 4 }
    static var float32Rows: Int { 4 }
  #endif

  /// Whether int8 tiles of four rows fetch the next panel's weights while they multiply; on ARM that was not measured.
  static var fetchesNextPanel: Bool { int8Rows == 4 && float32Rows == 6 }

  /// NR, and the width of a depthwise panel.
  static var channels: Int { 16 }
  /// Rows packed at once; a multiple of 2, 4, 6 and 8.
  static var rowBlock: Int { int8Rows == 8 ? 56 : 24 }
  /// Depth elements of one integer multiply.
  static var depthGroup: Int { Int(CV_DEPTH_GROUP) }
  /// Taps of one column that a depthwise step takes, or 1 for taps in pairs.
  static var depthwiseLines: Int { Int(CV_DEPTHWISE_LINES) }
  /// The tile of int8 matrix products, as the table tells it.
  static var int8: MatrixTile {
    MatrixTile(
      rows: int8Rows, channels: channels, depthGroup: depthGroup,
      activationBytes: MemoryLayout<cv_activation>.size, depthwiseLines: depthwiseLines)
  }
  /// The tile of float32 matrix products, as the table tells it.
  static var float32: MatrixTile {
    MatrixTile(rows: float32Rows, channels: channels, depthGroup: 1, activationBytes: 4)
  }
  /// What is added to the codes when activations are packed for the int8 tiles.
  static var activationOffset: Int32 { Int32(CV_ACTIVATION_OFFSET) }
}

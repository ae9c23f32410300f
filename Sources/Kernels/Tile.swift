import CVector

/// The register tiles of this instruction set.
///
/// Int8, 4 × 16: AVX2 needs eight accumulators, two vectors of weights, one of activations and one product: 12 of 16
/// registers, and is bound by the multiplier (eight `vpmaddwd` a step). NEON needs 16 accumulators of 32 registers.
/// SSE2 holds 2 × 16 in eight registers. Float32: 6 × 16 on AVX2 (twelve `vfmadd231ps` a step), 4 × 16 on NEON, 2 × 16
/// on SSE2.
enum Tile {
  #if arch(x86_64) && ISA_AVX2
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

  /// NR, and the width of a depthwise panel.
  static var channels: Int { 16 }
  /// Rows packed at once; a multiple of 2, 4 and 6.
  static var rowBlock: Int { 24 }
  /// Depth elements of one integer multiply.
  static var depthGroup: Int { Int(CV_DEPTH_GROUP) }
}

import CProcessor
package import KernelInterface
import Kernels
import KernelsAVX2
import KernelsAVX512VNNI
import KernelsAVXVNNI
import KernelsNEONDot

extension KernelTable {
  /// The tables that this processor can run, the baseline first and the fastest last.
  package static let supported: [KernelTable] = {
    let baseline = Kernels.makeKernelTable()
    var tables = [baseline]
    #if arch(x86_64)
      guard cprocessor_has_avx2_fma() else { return tables }
      let avx2 = KernelsAVX2.makeKernelTable()
      tables.append(avx2)
      if cprocessor_has_avx_vnni() { tables.append(KernelsAVXVNNI.makeKernelTable(over: avx2)) }
      if cprocessor_has_avx512_vnni() {
        tables.append(KernelsAVX512VNNI.makeKernelTable(over: avx2))
      }
    #elseif arch(arm64)
      if cprocessor_has_neon_dot_product() {
        tables.append(KernelsNEONDot.makeKernelTable(over: baseline))
      }
    #endif
    return tables
  }()

  /// The fastest table that this processor can run.
  package static var best: KernelTable { supported[supported.count - 1] }

  /// The supported table of this name; nil when there is none.
  package static func named(_ name: String) -> KernelTable? {
    supported.first { $0.name == name }
  }

  /// The names of every table built into this program, whether or not this processor can run them.
  package static var builtInNames: [String] {
    #if arch(x86_64)
      ["baseline", "avx2", "avx-vnni", "avx512-vnni"]
    #else
      ["neon", "neon-dotprod"]
    #endif
  }
}

import ByteParsing
import Tensors

extension ByteView {
  /// A matrix of whole bytes an element with rows and columns exchanged.
  func transposed(rows: Int, columns: Int, _ type: DataType) -> ByteView {
    let (bytes, size) = (array, type.bitWidth / 8)
    var result = [UInt8](repeating: 0, count: bytes.count)
    for row in 0..<rows {
      for column in 0..<columns {
        let (from, to) = ((row * columns + column) * size, (column * rows + row) * size)
        for byte in 0..<size { result[to + byte] = bytes[from + byte] }
      }
    }
    return ByteView(result)
  }
}

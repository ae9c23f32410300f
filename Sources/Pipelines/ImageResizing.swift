/// Where the pixels of a resized picture come from along one axis.
///
/// Pixel `i` of `count` has its centre at `start + (i + ½) · extent / count − ½` of the original's, the
/// half-pixel centres of TensorFlow 2. Bilinear pixels lie between two; what lies beyond the edge is the
/// edge.
struct ResizedAxis {
  /// The two pixels of the original, and how much there is of the second.
  private(set) var lower: [Int] = []
  private(set) var upper: [Int] = []
  private(set) var weight: [Float] = []

  /// - Parameters:
  ///   - start, extent: the part of the original that is taken.
  ///   - size: pixels of the original.
  init(start: Int, extent: Int, size: Int, count: Int, _ kind: ImageStep.Resize) {
    let scale = Float(extent) / Float(count)
    for index in 0..<count {
      let place = (Float(index) + 0.5) * scale
      switch kind {
      case .nearest:
        let nearest = min(start + Int(place.rounded(.down)), size - 1)
        lower.append(nearest)
        upper.append(nearest)
        weight.append(0)
      case .bilinear:
        let centre = place - 0.5
        let floor = centre.rounded(.down)
        lower.append(min(max(start + Int(floor), start), start + extent - 1))
        upper.append(min(max(start + Int(floor) + 1, start), start + extent - 1))
        weight.append(centre - floor)
      }
    }
  }
}

/// The part of a picture that is taken: all of it, or the middle of the wanted proportion.
struct PicturePart: Equatable {
  var x: Int
  var y: Int
  var width: Int
  var height: Int

  init(of picture: (width: Int, height: Int), _ fit: ImageStep.Fit, width: Int, height: Int) {
    var part = (width: picture.width, height: picture.height)
    if fit == .crop {
      // Compared as products, which fit into 64 bits by far.
      if picture.width * height > picture.height * width {
        part.width = max(1, (picture.height * width + height / 2) / height)
      } else {
        part.height = max(1, (picture.width * height + width / 2) / width)
      }
    }
    self.width = part.width
    self.height = part.height
    x = (picture.width - part.width) / 2
    y = (picture.height - part.height) / 2
  }
}

/// Appends a picture of another size, in float32 of 0 to 255.
///
/// - Parameters:
///   - pixels: uint8 `[height, width, channels]`.
///   - result: float32 `[outputHeight, outputWidth, channels]`, little-endian, appended.
/// - Precondition: the axes lie within the picture.
func resize(
  _ pixels: UnsafeBufferPointer<UInt8>, width: Int, channels: Int, _ rows: ResizedAxis,
  _ columns: ResizedAxis, to result: inout [Float]
) {
  for row in rows.lower.indices {
    let (top, bottom) = (rows.lower[row] * width * channels, rows.upper[row] * width * channels)
    let down = rows.weight[row]
    for column in columns.lower.indices {
      let (left, right) = (columns.lower[column] * channels, columns.upper[column] * channels)
      let across = columns.weight[column]
      for channel in 0..<channels {
        // Sound: checked by the buffer in debug builds; the axes name pixels of the picture.
        let (a, b) = unsafe (
          Float(pixels[top + left + channel]), Float(pixels[top + right + channel]))
        let (c, d) = unsafe (
          Float(pixels[bottom + left + channel]), Float(pixels[bottom + right + channel]))
        let (above, below) = (a + (b - a) * across, c + (d - c) * across)
        result.append(above + (below - above) * down)
      }
    }
  }
}

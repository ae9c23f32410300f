import ByteParsing
import ModelGraph
import Tensors

extension TFLiteOperatorReader {
  /// The options of `TFLite_Detection_PostProcess`, a FlexBuffer.
  func detection() throws(TFLiteError) -> Detection {
    try parsing { () throws(ParsingError) in
      let bytes = try table.byteVector(TFLiteSchema.Operator.customOptions)
      let options = try FlexBufferMap(bytes ?? ByteView([UInt8]()))
      var scales = SIMD4<Float>()
      for (index, key) in ["y_scale", "x_scale", "h_scale", "w_scale"].enumerated() {
        scales[index] = Float(try options.real(key) ?? 0)
      }
      return Detection(
        detectionsMaximum: try options.integer("max_detections") ?? 0,
        classesPerDetection: try options.integer("max_classes_per_detection") ?? 0,
        detectionsPerClass: try options.integer("detections_per_class") ?? 100,
        isByClass: try options.bool("use_regular_nms") ?? false,
        scoreThreshold: Float(try options.real("nms_score_threshold") ?? 0),
        overlapThreshold: Float(try options.real("nms_iou_threshold") ?? 0),
        classes: try options.integer("num_classes") ?? 0, scales: scales)
    }
  }
}

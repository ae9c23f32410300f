import KernelInterface
import ModelGraph
import Tensors

extension Lowering {
  mutating func lowerDetection(_ parameters: Detection, _ node: Node) throws(RuntimeError) {
    let (encodings, scores) = (try operand(node, 0), try operand(node, 1))
    let anchors = try operand(node, 2)
    let (boxes, stride) = (shape(encodings)[1], shape(encodings)[2])
    let columns = shape(scores)[2]
    let places = (source(encodings), source(scores), source(anchors))
    let scratch = temporary(
      byteCount: DetectionArguments.scratchBytes(
        boxes: boxes, classes: columns, detectionsMaximum: parameters.detectionsMaximum),
      steps: 0)
    var results: [BufferID] = []
    for output in node.outputs { results.append(try destination(output)) }
    let (kernel, outputs) = (table.general.rare.detect, results)
    add(
      Step(
        description: description(node, "detect"),
        split: .whole(costNanoseconds: costNanoseconds(boxes, columns, perNanosecond: 0.1))
      ) { memory in
        let arguments = unsafe DetectionArguments(
          boxes: boxes, encodingStride: stride, scoreStride: columns, classes: parameters.classes,
          detectionsMaximum: parameters.detectionsMaximum,
          detectionsPerClass: parameters.detectionsPerClass,
          classesPerDetection: parameters.classesPerDetection, isByClass: parameters.isByClass,
          scoreThreshold: parameters.scoreThreshold,
          overlapThreshold: parameters.overlapThreshold, scales: parameters.scales,
          encodings: memory.address(places.0),
          scores: memory.address(places.1) + (columns - parameters.classes),
          anchors: memory.address(places.2), scratch: memory.raw(scratch),
          outputBoxes: memory.address(outputs[0]), outputClasses: memory.address(outputs[1]),
          outputScores: memory.address(outputs[2]), outputCount: memory.address(outputs[3]))
        return { _, _ in kernel(arguments) }
      })
  }
}

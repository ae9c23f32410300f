import MQTT
import SignedDocuments

/// A retained message that is to be on the broker.
struct Publication: Sendable, Equatable {
  var topic: String
  var payload: [UInt8]

  init(_ topic: Topic, _ payload: [UInt8]) {
    self.topic = topic.name
    self.payload = payload
  }

  var message: MQTTMessage {
    MQTTMessage(topic: topic, payload: payload, quality: .atLeastOnce, retained: true)
  }

  /// Bytes of the PUBLISH packet at QoS 1 (MQTT 3.1.1 section 3.3); MQTT 5 adds an empty list of
  /// properties, a byte.
  var wireBytes: Int {
    let rest = 2 + topic.utf8.count + 2 + payload.count
    var lengthBytes = 1
    var value = rest
    while value > 127 {
      value >>= 7
      lengthBytes += 1
    }
    return 1 + lengthBytes + rest
  }
}

/// How far a publication has come.
package struct PublishProgress: Sendable, Equatable {
  /// Messages that the broker has acknowledged.
  package var messages: Int
  package var messagesTotal: Int
  /// Payload bytes that the broker has acknowledged.
  package var bytes: Int64
  package var bytesTotal: Int64
}

/// What a publication came to.
package struct PublishSummary: Sendable, Equatable {
  /// The number of the director document; nil when devices are not told.
  package var directorSequence: Int64?
  /// Bytes of all PUBLISH packets, repeated ones included.
  package var wireBytes: Int64
  package var blocks: Int
  package var rawBytes: Int64
  package var encodedBytes: Int64
  /// Encoded bytes of each delta that was published.
  package var deltaBytes: [Int64]
}

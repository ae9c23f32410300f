import Glibc

/// Quality of service of a publication or subscription.
package enum MQTTQuality: Int32, Sendable, Equatable {
  case atMostOnce = 0
  case atLeastOnce = 1
}

/// A message, in either direction.
package struct MQTTMessage: Sendable, Equatable {
  package var topic: String
  package var payload: [UInt8]
  package var quality: MQTTQuality
  /// Outbound: the broker keeps it for later subscribers. Inbound: it was such a kept one.
  package var retained: Bool

  package init(
    topic: String, payload: [UInt8], quality: MQTTQuality = .atMostOnce, retained: Bool = false
  ) {
    self.topic = topic
    self.payload = payload
    self.quality = quality
    self.retained = retained
  }
}

/// Why a connection, or an attempt at one, ended.
package enum MQTTDisconnection: Sendable, Equatable {
  /// By `disconnect()`.
  case requested
  /// The host has no address.
  case unresolvedHost
  /// The broker refused the connection; the number is the CONNACK return code of MQTT 3.1.1, or from
  /// 128 on the reason code of MQTT 5.
  case refused(code: Int32)
  /// The broker ended the connection and said why; the number is a reason code of MQTT 5.
  case dismissed(reason: Int32)
  /// The broker did not accept the connection in time.
  case timedOut
  /// The transport failed; the number is an `errno`, 0 when the peer closed.
  case lost(errno: Int32)
  /// The peer broke the protocol, or did not answer a ping; the number is a `MOSQ_ERR_` code.
  case library(code: Int32)
}

extension MQTTDisconnection {
  /// Whether the broker does not know the client, or does not want it.
  package var isRefusalOfClient: Bool {
    guard case .refused(let code) = self else { return false }
    // Name, password, right, ban or authentication method; the identifier in 3.1.1 and 5.
    return [2, 4, 5, 0x85, 0x86, 0x87, 0x8A, 0x8C].contains(code)
  }

  /// Whether a broker that does not speak MQTT 5 may have ended an attempt so: some answer that they
  /// do not, in their own way, and some close the connection.
  var isPerhapsOfVersion: Bool {
    switch self {
    case .refused(let code): code == 1 || code == 0x84
    case .lost(let errno): errno == 0 || errno == ECONNRESET || errno == EPIPE
    case .library: true
    case .requested, .unresolvedHost, .timedOut, .dismissed: false
    }
  }
}

/// What a poll found.
package enum MQTTEvent: Sendable, Equatable {
  /// The broker accepted the connection; no subscription exists.
  case connected
  /// The connection or attempt ended; requests without an answer will never get one.
  case disconnected(MQTTDisconnection)
  case message(MQTTMessage)
  /// An inbound message was larger than the limit and was dropped.
  case oversized(topic: String, bytes: Int)
  /// The broker did not take a message of QoS 1; the number is a reason code of MQTT 5. A broker of
  /// MQTT 3.1.1 acknowledges what it drops.
  case unpublished(id: Int32, reason: Int32)
  /// At QoS 0 the message was written to the socket; at QoS 1 the broker acknowledged it.
  case published(id: Int32)
  /// The broker answered a subscription; `refused` of its topics were turned down.
  case subscribed(id: Int32, refused: Int)
  case unsubscribed(id: Int32)
  /// Another thread called `MQTTWaker.wake()`.
  case woken
}

import ModelBundle
import ModelDelivery
import Serving
import SignedDocuments
import Transport

/// The agent's own part of the budget: what it takes besides models, charged before it starts.
package struct AgentMemory: Sendable {
  /// Pays for the connections of the data socket.
  let connections: any ConnectionMemory
  private let pool: MemoryPool
  private let delivery: MemoryCharge?

  /// - Throws: `budgetTooSmall`.
  init(_ manager: ModelManager, deliveredModels: Int) throws(AgentError) {
    pool = manager.requestMemory
    connections = PoolConnections(pool: pool)
    let fixed = Self.connectionBytes
    let whole = fixed + Self.deliveryBytes(models: deliveredModels)
    guard pool.reserve(fixed) == nil, pool.take(Self.adminBytes) == nil else {
      throw .budgetTooSmall(needed: whole, budget: manager.ledger.budget)
    }
    guard deliveredModels > 0 else {
      delivery = nil
      return
    }
    do throws(MemoryRefusal) {
      delivery = try manager.ledger.charge(
        "delivery", [MemoryItem(.deliveryBuffers, whole - fixed)])
    } catch {
      throw .budgetTooSmall(needed: whole, budget: manager.ledger.budget)
    }
  }

  func close() {
    pool.close()
    delivery?.release()
  }

  /// The bytes of the budget that models can have.
  package static func modelBudget(_ budget: Int, deliveredModels: Int) -> Int {
    max(0, budget - connectionBytes - deliveryBytes(models: deliveredModels))
  }

  private static let adminBytes =
    AgentLimits.adminConnectionsMaximum * HTTPLimits().connectionBytes

  /// Bytes of the connections that are always held.
  static let connectionBytes =
    AgentLimits.connectionsReserved * HTTPLimits().connectionBytes + adminBytes

  /// Bytes that deliveries of so many models take at once: of each, a window of blocks as they came
  /// and the index of the largest bundle as bytes and as values; of all, one block in the library's
  /// hands, the three that a difference is decoded with (its base, what the frame holds, their sum),
  /// the decoder, and where in a file the messages of a release lie.
  static func deliveryBytes(models: Int) -> Int {
    guard models > 0 else { return 0 }
    let index = Int(DocumentLimits.blocks) * ObjectIndex.bytesPerBlock
    let largest = BundleLimits.blockBytes + DeliveryLimits.encodedBlockSlackBytes
    return models * (DeliveryLimits.windowBytes + 2 * index)
      + AgentLimits.decodedBlocks * largest + AgentLimits.decoderBytes
      + ReleaseArchive.bytesMaximum
  }
}

/// Connections that are paid from a pool of the ledger.
private struct PoolConnections: ConnectionMemory {
  let pool: MemoryPool

  func take(_ bytes: Int) -> Bool { pool.take(bytes) == nil }
  func giveBack(_ bytes: Int) { pool.giveBack(bytes) }
}

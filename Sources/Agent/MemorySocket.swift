import ByteParsing
import Glibc
import JSONDocuments
import Serving
import Synchronization
import Transport

/// Takes memory files of apps by their descriptors, on a socket and a thread of its own.
///
/// A packet is one JSON object: `{"register": {"byte_size": B, "offset": O}}` with a descriptor,
/// `{"unregister": NAME}`, or `{"status": {}}`; each is answered with one. Regions live as long as the
/// connection that brought them.
final class MemorySocket: Sendable {
  private struct Order: Decodable {
    struct Register: Decodable {
      var byte_size: Int
      var offset: Int?
    }

    struct Status: Decodable {}

    var register: Register?
    var unregister: String?
    var status: Status?
  }

  private struct Region: Encodable {
    var region: String
    var byte_size: Int
  }

  private struct Reply: Encodable {
    var regions: [Region]?
    var error: String?
  }

  private let listener: PacketListener
  private let regions: TensorRegions
  private let memory: any ConnectionMemory
  /// A pipe: what is written to its second end ends the thread.
  private let stop: [Int32]
  private let ended = Atomic<Bool>(false)

  init(
    _ listener: PacketListener, _ regions: TensorRegions, _ memory: any ConnectionMemory
  ) throws(AgentError) {
    self.listener = listener
    self.regions = regions
    self.memory = memory
    var ends: [Int32] = [-1, -1]
    // Sound: the array has the two elements that the call fills.
    guard unsafe pipe(&ends) == 0 else {
      let number = errno
      listener.remove()
      throw .socket(
        path: listener.path, reason: "\(listener.path): \(ErrorText.of(number)).")
    }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    stop = ends
    regions.offer()
    Thread.start(name: "memory", stackBytes: AgentLimits.memoryStackBytes) { [self] in run() }
  }

  deinit { for end in stop { close(end) } }

  /// Removes the socket, and forgets every region; blocks until the thread has ended.
  func shutdown() {
    listener.remove()
    // Sound: one byte of a literal array is written.
    _ = unsafe write(stop[1], [1] as [UInt8], 1)
    while !ended.load(ordering: .acquiring) { usleep(1000) }
  }

  private func run() {
    var connections: [PacketConnection] = []
    while true {
      var waits = [stop[0], listener.descriptor].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
      waits += connections.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
      // Sound: the pointer and the count are of the same array.
      guard unsafe poll(&waits, nfds_t(waits.count), -1) >= 0 || errno == EINTR else { break }
      if waits[0].revents != 0 { break }
      let ready = zip(connections, waits.dropFirst(2)).filter { $1.revents != 0 }.map(\.0)
      for connection in ready where !answer(connection) {
        leave(connection)
        connections.removeAll { $0 === connection }
      }
      guard waits[1].revents != 0 else { continue }
      guard let connection = listener.accept() else {
        // Out of descriptors: the client stays in the queue, and would wake this thread at once again.
        usleep(AgentLimits.memoryAcceptPauseMicroseconds)
        continue
      }
      if connections.count < AgentLimits.memoryConnectionsMaximum,
        memory.take(AgentLimits.memoryPacketBytes)
      {
        connections.append(connection)
      } else {
        _ = connection.send(Self.json(Reply(error: "too many connections")))
      }
    }
    connections.forEach(leave)
    ended.store(true, ordering: .releasing)
  }

  private func leave(_ connection: PacketConnection) {
    regions.leave(connection: connection.number)
    memory.giveBack(AgentLimits.memoryPacketBytes)
  }

  /// Answers one packet; false when the connection is at its end.
  private func answer(_ connection: PacketConnection) -> Bool {
    guard let packet = connection.receive(maximum: AgentLimits.memoryPacketBytes) else {
      return false
    }
    return connection.send(Self.json(reply(packet, connection)))
  }

  private func reply(_ packet: ReceivedPacket, _ connection: PacketConnection) -> Reply {
    var descriptors = packet.descriptors
    defer { for descriptor in descriptors { close(descriptor) } }
    guard !packet.isCut, let peer = connection.peer,
      let order = try? JSONDocument.decode(Order.self, from: packet.bytes),
      [order.register != nil, order.unregister != nil, order.status != nil].filter(\.self).count
        == 1
    else {
      return Reply(error: "a packet is an object with one of 'register', 'unregister' and 'status'")
    }
    if let register = order.register {
      guard descriptors.count == 1 else {
        return Reply(error: "'register' comes with one descriptor, this with \(descriptors.count)")
      }
      return self.register(
        descriptors.removeFirst(), register.offset ?? 0, register.byte_size, peer, connection)
    }
    guard descriptors.isEmpty else { return Reply(error: "only 'register' comes with descriptors") }
    if let name = order.unregister, !regions.unregister(name, connection: connection.number) {
      return Reply(error: "this connection has no such region")
    }
    return Reply(
      regions: regions.regions(of: peer.userID).map {
        Region(region: $0.name, byte_size: $0.memory.byteCount)
      })
  }

  private func register(
    _ descriptor: Int32, _ offset: Int, _ byteCount: Int, _ peer: PeerCredentials,
    _ connection: PacketConnection
  ) -> Reply {
    let file: SealedFile
    do throws(SealedFileError) {
      file = try SealedFile(owning: descriptor)
    } catch .noMemoryFile {
      return Reply(error: "the descriptor is of no memory file (memfd_create)")
    } catch .notReadable {
      return Reply(error: "the descriptor cannot be read")
    } catch {
      return Reply(error: "the memory file is not sealed: it needs F_SEAL_SHRINK")
    }
    guard byteCount > 0, let region = TensorMemory(file, offset: offset, byteCount: byteCount)
    else {
      return Reply(
        error: "\(byteCount) bytes at \(offset) do not lie within the \(file.byteCount) of the file")
    }
    guard
      let name = regions.register(region, user: peer.userID, connection: connection.number)
    else {
      return Reply(
        error: "a connection has at most \(TensorRegions.perConnectionMaximum) regions")
    }
    return Reply(regions: [Region(region: name, byte_size: byteCount)])
  }

  private static func json(_ reply: Reply) -> [UInt8] { (try? JSONDocument.encode(reply)) ?? [] }
}

/// How a call ended, by the numbers of gRPC.
package enum GRPCCode: Int, Sendable {
  case ok = 0
  case cancelled, unknown, invalidArgument, deadlineExceeded, notFound, alreadyExists
  case permissionDenied, resourceExhausted, failedPrecondition, aborted, outOfRange
  case unimplemented, `internal`, unavailable, dataLoss, unauthenticated
}

/// Why a call failed.
package struct GRPCStatus: Error, Sendable, Equatable {
  package var code: GRPCCode
  /// For people; any text.
  package var message: String
  /// When the client may try again; nil leaves it to the client.
  package var retryMilliseconds: Int?

  package init(_ code: GRPCCode, _ message: String, retryMilliseconds: Int? = nil) {
    self.code = code
    self.message = message
    self.retryMilliseconds = retryMilliseconds
  }
}

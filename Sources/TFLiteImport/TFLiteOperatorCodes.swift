import ByteParsing

/// The operators that a file says it uses; its operators name them by place.
struct TFLiteOperatorCodes {
  private struct Code {
    let builtin: TFLiteBuiltin?
    let name: String
    let version: Int

    var isSupported: Bool { builtin.map { (1...$0.versionMaximum).contains(version) } ?? false }
  }

  private let codes: [Code]

  init(of model: FlatBufferTable) throws(TFLiteError) {
    typealias Schema = TFLiteSchema.OperatorCode
    codes = try parsing { () throws(ParsingError) in
      var codes: [Code] = []
      let tables = try model.tables(
        TFLiteSchema.Model.operatorCodes, limit: TFLiteLimits.operatorCodesMaximum)
      for table in tables {
        // Files from before there were 127 operators have only the byte.
        let old = Int32(try table.integer(Schema.deprecatedBuiltinCode, default: Int8(0)))
        let code = Swift.max(old, try table.integer(Schema.builtinCode, default: Int32(0)))
        let custom = try table.string(Schema.customCode)
        let name = TFLiteBuiltin.name(of: code)
        codes.append(
          Code(
            builtin: name == "CUSTOM"
              ? TFLiteBuiltin(customCode: custom ?? "")
              : code < 0 ? nil : TFLiteBuiltin(rawValue: code),
            name: name == "CUSTOM" ? "CUSTOM:" + (custom ?? "") : name,
            version: Int(try table.integer(Schema.version, default: Int32(1)))))
      }
      return codes
    }
  }

  /// What each of `operators` is; throws with all that are not supported.
  func builtins(of operators: [FlatBufferTable]) throws(TFLiteError) -> [TFLiteBuiltin] {
    var builtins: [TFLiteBuiltin] = []
    var counts: [Int: Int] = [:]
    var firstUses: [Int] = []
    for (place, table) in operators.enumerated() {
      let index = try parsing { () throws(ParsingError) in
        try table.integer(TFLiteSchema.Operator.codeIndex, default: UInt32(0))
      }
      guard index < codes.count else {
        throw .operatorCodeOutOfRange(operator: place, index: index, count: codes.count)
      }
      let code = codes[Int(index)]
      if let builtin = code.builtin, code.isSupported {
        builtins.append(builtin)
      } else {
        if counts[Int(index)] == nil { firstUses.append(Int(index)) }
        counts[Int(index), default: 0] += 1
      }
    }
    guard firstUses.isEmpty else {
      throw .unsupportedOperators(
        firstUses.map {
          UnsupportedOperator(
            name: codes[$0].name, version: codes[$0].version, count: counts[$0] ?? 0)
        })
    }
    return builtins
  }
}

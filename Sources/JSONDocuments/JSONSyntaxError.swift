/// Text that is not JSON5, and where.
package struct JSONSyntaxError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What the text should have had in this place.
  package enum Cause: String, Sendable {
    case value = "a value is expected here"
    case key = "a key is expected here"
    case colon = "a colon is expected here"
    case separator = "a comma or the closing bracket is expected here"
    case unfinishedString = "this string has no end"
    case unfinishedComment = "this comment has no end"
    case escape = "this escape is not one of JSON5"
    case encoding = "this string is not UTF-8"
    case number = "this number cannot be represented"
    case duplicate = "this key is there twice"
    case depth = "this is nested too deeply"
    case end = "the document should end here"
  }

  package var cause: Cause
  /// From 1.
  package var line: Int
  /// In bytes, from 1.
  package var column: Int

  package init(_ cause: Cause, line: Int, column: Int) {
    self.cause = cause
    self.line = line
    self.column = column
  }

  package var description: String { "line \(line), column \(column): \(cause.rawValue)" }
}

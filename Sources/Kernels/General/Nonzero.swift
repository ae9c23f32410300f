import CVector
import KernelInterface
import Tensors

/// Counts the elements that are not zero, or writes where they are, in row order.
func findNonzero(_ arguments: NonzeroArguments) {
  var (i, found) = (0, 0)
  // Sound: the maker of the arguments vouches for the pointers and their element type.
  while i < arguments.count {
    if unsafe elementBits(arguments.input, arguments.type, i) != 0 {
      if let positions = unsafe arguments.positions {
        guard found < arguments.limit else { break }
        let row = unsafe positions + found &* arguments.rank
        var (rest, axis) = (i, arguments.rank &- 1)
        while axis >= 0 {
          let extent = arguments.extents[axis]
          unsafe row[axis] = Int64(truncatingIfNeeded: rest % extent)
          rest /= extent
          axis &-= 1
        }
      }
      found &+= 1
    }
    i &+= 1
  }
  if let count = unsafe arguments.found { unsafe count.pointee = Int64(truncatingIfNeeded: found) }
}

/// Lists the different elements in the order in which they come first, by a table of hashes.
func listDistinct(_ arguments: DistinctArguments) {
  let (mask, scratch) = unsafe (arguments.slots &- 1, arguments.scratch)
  let size = arguments.type.bitWidth / 8
  var i = 0
  // Sound: the maker of the arguments vouches for the pointers, and the table is never full.
  while i < arguments.slots {
    unsafe scratch[i] = -1
    i &+= 1
  }
  var found: Int32 = 0
  i = 0
  while i < arguments.count {
    let bits = unsafe elementBits(arguments.input, arguments.type, i)
    var slot = Int(truncatingIfNeeded: (bits &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
    while unsafe scratch[slot] >= 0,
      unsafe elementBits(UnsafeRawPointer(arguments.values), arguments.type, Int(scratch[slot])) != bits
    {
      slot = (slot &+ 1) & mask
    }
    if unsafe scratch[slot] < 0 {
      unsafe scratch[slot] = found
      unsafe cv_copy(
        arguments.values + Int(found) &* size, arguments.input + i &* size, size)
      found &+= 1
    }
    let place = unsafe scratch[slot]
    if arguments.hasWidePlaces {
      unsafe arguments.places.storeBytes(of: Int64(place), toByteOffset: 8 &* i, as: Int64.self)
    } else {
      unsafe arguments.places.storeBytes(of: place, toByteOffset: 4 &* i, as: Int32.self)
    }
    i &+= 1
  }
  unsafe arguments.found.pointee = Int64(found)
}

/// The bits of an element, the same for both zeros of a float.
private func elementBits(_ data: UnsafeRawPointer, _ type: DataType, _ index: Int) -> UInt64 {
  switch type {
  case .bool, .int8, .uint8:
    return unsafe UInt64(data.load(fromByteOffset: index, as: UInt8.self))
  case .int16:
    return unsafe UInt64(data.load(fromByteOffset: 2 &* index, as: UInt16.self))
  case .float32:
    let bits = unsafe data.load(fromByteOffset: 4 &* index, as: UInt32.self)
    return UInt64(bits == 0x8000_0000 ? 0 : bits)
  case .int32, .uint32:
    return unsafe UInt64(data.load(fromByteOffset: 4 &* index, as: UInt32.self))
  default: return unsafe data.load(fromByteOffset: 8 &* index, as: UInt64.self)
  }
}

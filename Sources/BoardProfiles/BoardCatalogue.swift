/// The profiles that are built in, from the files of `Boards/profiles`.
package enum BoardCatalogue {
  /// In the order they are listed.
  package static let profiles: [BoardProfile] = documents.map { _, document in
    do throws(BoardError) {
      return try BoardSchema.read(document)
    } catch {
      // The documents are part of the program, and a test reads each.
      fatalError("a built-in board profile breaks the schema: \(error)")
    }
  }

  /// The profile that answers to this name.
  package static func named(_ name: String) -> BoardProfile? {
    profiles.first { $0.name == name || $0.aliases.contains(name) }
  }

  /// What any machine of an architecture gets.
  package static func generic(_ architecture: String) -> BoardProfile? {
    profiles.first { $0.isGeneric && $0.facts.architecture == architecture }
  }

  /// The files' names without their suffix, and their bytes.
  static let documents: [(name: String, bytes: [UInt8])] = [
    ("raspberry-pi-zero-2-w", PackageResources.raspberry_pi_zero_2_w_json),
    ("raspberry-pi-3", PackageResources.raspberry_pi_3_json),
    ("raspberry-pi-4", PackageResources.raspberry_pi_4_json),
    ("raspberry-pi-5", PackageResources.raspberry_pi_5_json),
    ("beaglebone-ai-64", PackageResources.beaglebone_ai_64_json),
    ("pocketbeagle-2", PackageResources.pocketbeagle_2_json),
    ("imx8m-plus", PackageResources.imx8m_plus_json),
    ("jetson-orin-nano", PackageResources.jetson_orin_nano_json),
    ("rock-5b", PackageResources.rock_5b_json),
    ("intel-n100", PackageResources.intel_n100_json),
    ("atom-without-avx", PackageResources.atom_without_avx_json),
    ("generic-x86-64", PackageResources.generic_x86_64_json),
    ("generic-aarch64", PackageResources.generic_aarch64_json),
  ]
}

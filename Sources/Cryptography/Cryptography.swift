// Cryptography: see Sources/README.md.

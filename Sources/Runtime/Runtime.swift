// Runtime: see Sources/README.md.

// MemoryPlanning: see Sources/README.md.

// KernelInterface: see Sources/README.md.

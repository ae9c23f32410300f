// KernelDispatch: see Sources/README.md.

// TensorFlowServing: see Sources/README.md.

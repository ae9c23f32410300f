// OpenInference: see Sources/README.md.

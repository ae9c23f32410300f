// ModelStorage: see Sources/README.md.

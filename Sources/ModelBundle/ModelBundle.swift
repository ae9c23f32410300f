// ModelBundle: see Sources/README.md.

// ModelGraph: see Sources/README.md.

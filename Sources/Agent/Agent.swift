// Agent: see Sources/README.md.

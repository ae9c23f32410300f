// Publishing: see Sources/README.md.

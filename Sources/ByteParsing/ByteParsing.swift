// ByteParsing: see Sources/README.md.

// SignedDocuments: see Sources/README.md.

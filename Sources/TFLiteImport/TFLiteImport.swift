// TFLiteImport: see Sources/README.md.

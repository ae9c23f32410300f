// TFLiteImportTests

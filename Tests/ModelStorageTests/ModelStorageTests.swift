// ModelStorageTests

// SignedDocumentsTests

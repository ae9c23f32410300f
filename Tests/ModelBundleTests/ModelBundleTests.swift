// ModelBundleTests

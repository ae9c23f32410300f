// ModelDeliveryTests

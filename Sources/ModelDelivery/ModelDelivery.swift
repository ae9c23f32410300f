// ModelDelivery: see Sources/README.md.

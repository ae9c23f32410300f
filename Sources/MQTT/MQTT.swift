// MQTT: see Sources/README.md.

"""The builder of the example web: one module a host, `site` holds what they add."""

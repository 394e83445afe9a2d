"""The builder of the example web: one module per host.  `site` holds the pages that they add."""

"""The catalog, the report page, and the history of one document."""

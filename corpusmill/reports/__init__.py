"""The catalog, the report page, and the story of one document."""

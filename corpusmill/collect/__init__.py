"""Sources: where records come from, and how a record becomes a row of pages."""

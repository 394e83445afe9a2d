"""HTML to main text and metadata."""

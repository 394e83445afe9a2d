"""What the edits do, over Arrow columns: compiled kernels, and what calls them."""

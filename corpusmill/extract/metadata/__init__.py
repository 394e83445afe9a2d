"""What a page says of itself."""

"""Language, signals, rules and personal data."""

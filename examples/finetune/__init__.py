"""Small examples of every task of fine-tuning, made by rules: text of our own, in English and Chinese."""

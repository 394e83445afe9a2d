"""The example: a small web of real and invented text, its server, and a demo that makes a corpus from it."""

"""The example: a small web of real and invented text, its server, and the demo that mills it."""

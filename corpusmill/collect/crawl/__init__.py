"""A polite crawl: bounded rounds, robots.txt, WARC files, the fate of every URL on record."""

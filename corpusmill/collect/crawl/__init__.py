"""A polite crawl in bounded rounds: it obeys robots.txt, writes WARC files, and records what happened to every URL."""

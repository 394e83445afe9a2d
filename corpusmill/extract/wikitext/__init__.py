"""Wikitext to HTML: templates, links, tables and lists of MediaWiki pages, in the main languages."""

"""Documents: books, office files, PDF, feeds, mail, forums, translations.  One module per format reads its records."""

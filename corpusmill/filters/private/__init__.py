"""Personal data: what it looks like (`kinds`, `words`, `forms`, `secrets`), found one by one or by kernels."""

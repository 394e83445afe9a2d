"""python -m corpusmill."""

from corpusmill.cli import main

main()

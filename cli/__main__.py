"""`python -m cli`: the same command where the script is not on the PATH."""

from cli.main import main

main()

"""`python -m cupral.surfaces.cli`."""

from cupral.surfaces.cli.app import main

main()

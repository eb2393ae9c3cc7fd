"""The subcommands of `tripoint`, one module each, and nothing else."""

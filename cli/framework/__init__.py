"""What every command shares: groups, settings, help, errors and progress."""

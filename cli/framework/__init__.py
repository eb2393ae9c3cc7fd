"""Groups, settings, help, errors and progress, which all commands share."""

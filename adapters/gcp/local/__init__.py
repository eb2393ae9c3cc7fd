"""Run functions-framework on this machine as Google Cloud does."""

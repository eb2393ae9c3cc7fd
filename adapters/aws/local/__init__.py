"""Run AWS Lambda's own Python runtime on this machine."""

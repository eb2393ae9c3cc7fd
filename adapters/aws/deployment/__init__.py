"""Deploy to AWS Lambda, call what is deployed, and remove it."""

"""Deploy to Google Cloud Functions and Cloud Run, and remove it."""

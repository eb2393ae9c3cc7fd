"""What Tripoint adds to Locust's web page."""

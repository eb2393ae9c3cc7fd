"""The worker side of a run: send each request at its time and turn the response into a sample."""

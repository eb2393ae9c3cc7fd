"""What to expect on the real clouds: a local measurement with what others measured there and published."""

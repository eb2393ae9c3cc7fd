"""The price book: dated prices of every cloud, each with its source."""

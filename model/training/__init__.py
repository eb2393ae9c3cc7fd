"""Train the built-in classifier, or one of its kind: data, backbone, head, export and card."""

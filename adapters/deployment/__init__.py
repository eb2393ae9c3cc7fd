"""The life cycle of a deployment, for every cloud alike: plan, apply, status, destroy, sweep."""

"""The life cycle of what is deployed, whatever the cloud: plan, apply, status, destroy, sweep."""

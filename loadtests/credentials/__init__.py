"""Credentials of closed endpoints: the provider, the channel to it, and what workers hold."""

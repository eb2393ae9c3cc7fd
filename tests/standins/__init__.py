"""Stand-ins for the clouds' management planes on loopback, spoken to by the vendors' real SDKs."""

"""What `tripoint doctor` looks at; each module is one part of it, and changes nothing."""

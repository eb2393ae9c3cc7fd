"""Sample photographs of the project's own making, and the script that renders them."""

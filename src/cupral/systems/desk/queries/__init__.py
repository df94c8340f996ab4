"""What is asked of the parameter desk."""

"""Which runs there should be, and having the missing ones trained."""

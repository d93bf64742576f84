"""Rate rules: how far each actor and the critic step. They see vectors, never a network."""

"""Algorithms: what is learned (a critic, actors, their losses), without any learning rate or optimiser."""

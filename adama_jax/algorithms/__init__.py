"""Algorithms: what is learned (actors, a critic, their losses), without a rate or an optimizer."""

"""Robots of Brax whose joints are shared among agents."""

"""Centralised critics: one network that values all agents' actions, a file each."""

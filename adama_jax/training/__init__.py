"""Everything that is compiled: a train step, an episode, a member, a population.

Pure functions: no disk, no clock.
"""

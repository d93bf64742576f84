"""Everything that is compiled: a train step, an episode, a member, a population. Pure; no disk, no clock."""

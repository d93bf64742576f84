"""Environments: worlds behind one small interface (`envs.base.Env`). None of them knows an algorithm."""

"""Environments: worlds behind one small interface (`envs.env.Env`). None knows an algorithm."""

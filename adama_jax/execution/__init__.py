"""From settings to run folders: build, compile, loop, observe, save, stop."""

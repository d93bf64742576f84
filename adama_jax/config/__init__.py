"""What a person may write: settings, scenarios, methods, exhibits. Importable without JAX."""

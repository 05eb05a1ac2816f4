"""Settings: base, with dev, test and prod on top."""
